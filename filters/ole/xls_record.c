/* SPDX-License-Identifier: Apache-2.0 */
/* xls_record: which records of a workbook stay as they are, which go, and which
 * of xls_change.c changes. Numbers: [MS-XLS] 2.3. */
#include "filters/ole/xls_change.h"

/* First and last of a run of numbers. */
static const uint16_t kept[][2] = {
	{ 0x0a, 0x0a },
	{ 0x0c, 0x16 },
	{ 0x19, 0x1d },
	{ 0x22, 0x22 },
	{ 0x26, 0x2b },
	{ 0x31, 0x31 },
	{ 0x33, 0x33 },
	{ 0x3c, 0x3d },
	{ 0x40, 0x42 },
	{ 0x55, 0x56 },
	{ 0x5b, 0x5b },
	{ 0x5e, 0x60 },
	{ 0x63, 0x63 },
	{ 0x7d, 0x7d },
	{ 0x7f, 0x84 },
	{ 0x86, 0x86 },
	{ 0x8c, 0x8d },
	{ 0x90, 0x90 },
	{ 0x92, 0x92 },
	{ 0x97, 0x97 },
	{ 0x99, 0x99 },
	{ 0x9b, 0x9e },
	{ 0xa0, 0xa1 },
	{ 0xa9, 0xa9 },
	{ 0xab, 0xab },
	{ 0xae, 0xaf },
	{ 0xbd, 0xbe },
	{ 0xd6, 0xd6 },
	{ 0xda, 0xda },
	{ 0xdd, 0xdd },
	{ 0xe0, 0xe2 },
	{ 0xe5, 0xe5 },
	{ 0xe9, 0xe9 },
	{ 0xef, 0xef },
	{ 0xfc, 0xfd },
	{ 0x13d, 0x13d },
	{ 0x15f, 0x161 },
	{ 0x1a9, 0x1ab },
	{ 0x1af, 0x1b0 },
	{ 0x1b2, 0x1b2 },
	{ 0x1b7, 0x1b7 },
	{ 0x1bc, 0x1bc },
	{ 0x1c0, 0x1c1 },
	{ 0x200, 0x201 },
	{ 0x203, 0x205 },
	{ 0x208, 0x208 },
	{ 0x225, 0x225 },
	{ 0x236, 0x236 },
	{ 0x23e, 0x23e },
	{ 0x27e, 0x27e },
	{ 0x293, 0x293 },
	{ 0x41e, 0x41e },
	{ 0x800, 0x800 },
	{ 0x809, 0x809 },
	{ 0x812, 0x812 },
	{ 0x850, 0x857 },
	{ 0x85a, 0x85a },
	{ 0x862, 0x863 },
	{ 0x866, 0x867 },
	{ 0x875, 0x875 },
	{ 0x87c, 0x87d },
	{ 0x87f, 0x87f },
	{ 0x88b, 0x890 },
	{ 0x892, 0x892 },
	{ 0x894, 0x894 },
	{ 0x89a, 0x89f },
	{ 0x8a3, 0x8a7 },
	{ 0x1001, 0x1003 },
	{ 0x1006, 0x1007 },
	{ 0x1009, 0x100d },
	{ 0x1014, 0x1022 },
	{ 0x1024, 0x1027 },
	{ 0x1032, 0x1035 },
	{ 0x103a, 0x103a },
	{ 0x103c, 0x1041 },
	{ 0x1043, 0x1046 },
	{ 0x1048, 0x1048 },
	{ 0x104a, 0x104b },
	{ 0x104e, 0x1050 },
	{ 0x105b, 0x105d },
	{ 0x105f, 0x1068 },
	{ 0x10c0, 0x10c0 },
};

/* Places in the old stream, how it was encrypted, caches, and settings of
 * Excel's own windows: it makes them anew. */
static const uint16_t quiet[] = { 0x0b, 0x20b, 0x2f, 0x44, 0x59, 0x5a, 0x8e,
	0x8f, 0x94, 0x95, 0x98, 0x9a, 0xa4, 0xc1, 0xd7, 0xde, 0xed, 0xff, 0x1ba,
	0x858, 0x859, 0x874, 0x895, 0x896, 0x897, 0x898 };

static const struct {
	uint16_t first, last;
	enum detox_removal what;
	const char *where;
} dropped[] = {
	{ 0x4d, 0x4d, REMOVED_PRINTER, "Pls" },
	{ 0x50, 0x52, REMOVED_CONNECTION, "DCon" },
	{ 0x87, 0x87, REMOVED_MACRO, "AddIn" },
	{ 0x89, 0x89, REMOVED_METADATA, "Publisher" },
	{ 0x91, 0x91, REMOVED_EXTERNAL, "Subscriber" },
	{ 0x96, 0x96, REMOVED_MEDIA, "Sound" },
	{ 0xb0, 0xb6, REMOVED_CONNECTION, "pivot table" },
	{ 0xb8, 0xb9, REMOVED_METADATA, "DocRoute" },
	{ 0xbf, 0xc0, REMOVED_ACTION, "toolbar" },
	{ 0xc2, 0xc3, REMOVED_ACTION, "menu" },
	{ 0xc5, 0xd2, REMOVED_CONNECTION, "pivot table" },
	{ 0xd3, 0xd3, REMOVED_MACRO, "ObProj" },
	{ 0xd5, 0xd5, REMOVED_CONNECTION, "pivot table" },
	{ 0xd8, 0xd8, REMOVED_CONNECTION, "pivot table" },
	{ 0xdc, 0xdc, REMOVED_CONNECTION, "DbQuery" },
	{ 0xdf, 0xdf, REMOVED_MACRO, "UdDesc" },
	{ 0xe3, 0xe3, REMOVED_CONNECTION, "pivot table" },
	{ 0xf0, 0x103, REMOVED_CONNECTION, "pivot table" },
	{ 0x122, 0x122, REMOVED_CONNECTION, "pivot table" },
	{ 0x1ad, 0x1ad, REMOVED_CONNECTION, "Qsi" },
	{ 0x1b5, 0x1b5, REMOVED_CONNECTION, "DConBin" },
	{ 0x1bb, 0x1bb, REMOVED_CONNECTION, "pivot table" },
	{ 0x801, 0x80b, REMOVED_CONNECTION, "query" },
	{ 0x80c, 0x810, REMOVED_CONNECTION, "pivot table" },
	{ 0x813, 0x813, REMOVED_FORMULA, "RealTimeData" },
	{ 0x864, 0x864, REMOVED_CONNECTION, "pivot table" },
	{ 0x871, 0x872, REMOVED_CONNECTION, "list" },
	{ 0x876, 0x878, REMOVED_CONNECTION, "list" },
	{ 0x879, 0x87b, REMOVED_STYLE, "conditional format" },
};

static const struct {
	uint16_t type;
	enum xls_fate (*change)(struct xls *, struct xls_record *);
} changed[] = {
	{ 0x06, xls_change_formula },
	{ 0x17, xls_change_externsheet },
	{ 0x18, xls_change_name },
	{ 0x23, xls_change_externname },
	{ 0x5c, xls_change_writeaccess },
	{ 0x5d, xls_change_obj },
	{ 0x85, xls_change_boundsheet },
	{ 0xeb, xls_change_drawing },
	{ 0xec, xls_change_drawing },
	{ 0x1ae, xls_change_supbook },
	{ 0x1b1, xls_change_cf },
	{ 0x1b6, xls_change_txo },
	{ 0x1b8, xls_change_hlink },
	{ 0x1be, xls_change_dv },
	{ 0x206, xls_change_formula }, /* of older versions, in some files */
	{ 0x207, xls_change_string },
	{ 0x221, xls_change_array },
	{ 0x406, xls_change_formula },
	{ 0x4bc, xls_change_shared },
	{ 0x1051, xls_change_chart_formula },
};

static bool
is_kept(unsigned type)
{
	for (size_t i = 0; i < COUNT(kept); i++)
		if (type <= kept[i][1])
			return type >= kept[i][0];
	return false;
}

static bool
is_quiet(unsigned type)
{
	for (size_t i = 0; i < COUNT(quiet); i++)
		if (quiet[i] == type)
			return true;
	return false;
}

static enum xls_fate
drop(struct xls *x, const struct xls_record *r)
{
	const char *where = NULL;
	char other[32];
	enum detox_removal what = REMOVED_UNKNOWN;

	for (size_t i = 0; i < COUNT(dropped); i++)
		if (r->type >= dropped[i].first && r->type <= dropped[i].last) {
			where = dropped[i].where;
			what = dropped[i].what;
		}
	snprintf(other, sizeof(other), "record %#x", r->type);
	detox_removed(
	    x->d, what, where != NULL ? where : other, (struct bytes){ 0 });
	return XLS_DROPPED;
}

enum xls_fate
xls_rewrite(struct xls *x, struct xls_record *r)
{
	/* Cells are most of a workbook. */
	if (is_kept(r->type))
		return XLS_KEPT;
	for (size_t i = 0; i < COUNT(changed); i++)
		if (changed[i].type == r->type)
			return changed[i].change(x, r);
	if (is_quiet(r->type))
		return XLS_DROPPED;
	return drop(x, r);
}
