/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare: what libarchive would have the C library open when the first file
 * needs it.
 */
#include <iconv.h>
#include <limits.h>
#include <time.h>
#include <wchar.h>

#include "filters/archive/inside.h"

/* Charsets that headers of LZH files name (extension 0x46). An open converter
 * keeps its module, so that another one is made without a file. */
static const char *const charsets[] = { "CP932", "CP437", "CP850", "CP852",
	"CP866", "CP936", "CP949", "CP950", "CP1250", "CP1251", "CP1252" };

static struct {
	locale_t utf8;
	iconv_t converters[COUNT(charsets)];
} warm;

/* The C library looks for a converter when the first character comes. */
static bool
reads_utf8(locale_t l)
{
	locale_t old = uselocale(l);
	mbstate_t state = { 0 };
	wchar_t wide = 0;
	char narrow[MB_LEN_MAX];
	bool good = mbrtowc(&wide, "\xe3\x81\x82", 3, &state) == 3 &&
	    wcrtomb(narrow, wide, &state) == 3;

	uselocale(old);
	return good;
}

int
archives_prepare(struct err *e)
{
	if (warm.utf8 != NULL)
		return 0;
	for (size_t i = 0; i < COUNT(charsets); i++) {
		warm.converters[i] = iconv_open("UTF-8", charsets[i]);
		if (warm.converters[i] == (iconv_t)-1)
			return err_set(e,
			    "the C library cannot read %s: is its gconv folder"
			    " complete?",
			    charsets[i]);
	}
	/* Dates of RAR, CAB and LZH are local ones. Without TZ the C library
	 * looks for /etc/localtime at each; the daemon sets it too. */
	setenv("TZ", "UTC0", 0);
	tzset();
	warm.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	if (warm.utf8 == NULL || !reads_utf8(warm.utf8))
		return err_set(e, "the C library has no locale C.UTF-8");
	return 0;
}

locale_t
archives_locale(void)
{
	return uselocale(warm.utf8);
}
