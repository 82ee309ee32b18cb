/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose: letters with marks that stand apart, as macOS writes names, and the
 * letters that they are together (Unicode 15, UnicodeData.txt), of kana and of
 * the Latin letters of Europe and of rōmaji.
 */
#include "filters/archive/name.h"

#include <uchar.h>

#define MARK_VOICED 0x3099u
#define MARK_HALF_VOICED 0x309au
#define KATAKANA_FROM_HIRAGANA 0x60u

/* For each mark pairs of a letter and what it becomes. */
static const struct {
	uint32_t mark;
	const char16_t *pairs;
} latin[] = {
	{ 0x300, u"AÀEÈIÌOÒUÙaàeèiìoòuùNǸnǹ" },
	{ 0x301, u"AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćNŃnńSŚsśZŹzźLĹlĺRŔrŕ" },
	{ 0x302, u"AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷ" },
	{ 0x303, u"AÃNÑOÕaãnñoõIĨiĩUŨuũ" },
	{ 0x304, u"AĀaāEĒeēIĪiīOŌoōUŪuū" },
	{ 0x306, u"AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭ" },
	{ 0x307, u"CĊcċEĖeėGĠgġIİZŻzż" },
	{ 0x308, u"AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸ" },
	{ 0x30a, u"AÅaåUŮuů" },
	{ 0x30b, u"OŐoőUŰuű" },
	{ 0x30c, u"CČcčDĎdďEĚeěNŇnňRŘrřSŠsšTŤtťZŽzž" },
	{ 0x327, u"CÇcçSŞsşTŢtţGĢKĶkķLĻlļNŅnņRŖrŗ" },
	{ 0x328, u"AĄaąEĘeęIĮiįUŲuų" },
};

/* Of hiragana: voiced ones stand behind their letter, half voiced ones behind
 * these. */
static uint32_t
compose_hiragana(uint32_t c, uint32_t mark)
{
	bool ha = c >= 0x306f && c <= 0x307b && (c - 0x306f) % 3 == 0;

	if (mark == MARK_HALF_VOICED)
		return ha ? c + 2 : 0;
	if (c == 0x3046)
		return 0x3094;
	if (ha || (c >= 0x304b && c <= 0x3061 && c % 2 == 1) ||
	    (c >= 0x3064 && c <= 0x3068 && c % 2 == 0) || c == 0x309d)
		return c + 1;
	return 0;
}

static uint32_t
compose_kana(uint32_t c, uint32_t mark)
{
	uint32_t composed;

	if (c >= 0x30ef && c <= 0x30f2) /* ワ to ヲ, which hiragana lack */
		return mark == MARK_VOICED ? c + 8 : 0;
	if (c < 0x30a1 || c > 0x30fd)
		return compose_hiragana(c, mark);
	composed = compose_hiragana(c - KATAKANA_FROM_HIRAGANA, mark);
	return composed == 0 ? 0 : composed + KATAKANA_FROM_HIRAGANA;
}

uint32_t
name_compose(uint32_t letter, uint32_t mark)
{
	if (mark == MARK_VOICED || mark == MARK_HALF_VOICED)
		return compose_kana(letter, mark);
	for (size_t i = 0; i < COUNT(latin); i++) {
		if (latin[i].mark != mark)
			continue;
		for (const char16_t *p = latin[i].pairs; *p != 0; p += 2)
			if (p[0] == letter)
				return p[1];
	}
	return 0;
}
