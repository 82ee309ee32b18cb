/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in each coding, at every cut, in every room, and past each limit. */
#include "filters/decode/decode.h"

#include <brotli/encode.h>
#include <check.h>
#include <zlib.h>
#include <zstd.h>

#include "proxy/base/arena.h"
#include "tests/unit/filters/drive.h"

Suite *decode_suite(void);

#define CUT_SHORT "the coded body is cut short"
#define DAMAGED "the coded body is damaged"
#define BEHIND "bytes behind the end of the coded body"
#define GROWS "the coded body grows beyond its limit"
#define TOO_LONG "the decoded body is longer than its limit"

static const enum decode_coding codings[] = { DECODE_GZIP, DECODE_DEFLATE,
	DECODE_BROTLI, DECODE_ZSTD };

static size_t
encode_zlib(uint8_t *p, size_t size, struct bytes plain, int bits)
{
	z_stream z = { 0 };

	ck_assert_int_eq(
	    deflateInit2(&z, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = p;
	z.avail_out = (uInt)size;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return size - z.avail_out;
}

static size_t
encode_zstd(uint8_t *p, size_t size, struct bytes plain)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	ck_assert(
	    !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
	n = ZSTD_compress2(c, p, size, plain.p, plain.n);
	ck_assert(!ZSTD_isError(n));
	ZSTD_freeCCtx(c);
	return n;
}

static struct bytes
encode(struct arena *a, struct bytes plain, enum decode_coding coding)
{
	size_t size = plain.n + 1024;
	uint8_t *p = arena_alloc(a, size);
	size_t n = size;

	switch (coding) {
	case DECODE_GZIP:
		return (struct bytes){ p, encode_zlib(p, size, plain, 31) };
	case DECODE_DEFLATE:
		return (struct bytes){ p, encode_zlib(p, size, plain, 15) };
	case DECODE_BROTLI:
		ck_assert(BrotliEncoderCompress(
		    5, 22, BROTLI_MODE_GENERIC, plain.n, plain.p, &n, p));
		return (struct bytes){ p, n };
	case DECODE_ZSTD:
		return (struct bytes){ p, encode_zstd(p, size, plain) };
	case DECODE_REFUSED:
		break;
	}
	ck_abort();
	return (struct bytes){ 0 };
}

static void
assert_decodes(const struct drive *d, struct bytes body, struct bytes plain,
    const char *want)
{
	struct buf out;
	const char *why;

	buf_init(&out, 64 << 20);
	drive_filter(d, body, &out, &why);
	ck_assert_pstr_eq(why, want);
	if (why == NULL)
		ck_assert(bytes_equal(buf_bytes(&out), plain));
	buf_release(&out);
}

static void
assert_at_every_cut(struct decode_settings s, struct bytes body,
    struct bytes plain, const char *want)
{
	struct drive d = { .type = &decode_filter, .settings = &s };

	for (d.cut = 0; d.cut <= body.n; d.cut++)
		assert_decodes(&d, body, plain, want);
	d.piece = 1;
	assert_decodes(&d, body, plain, want);
}

#define WORDS "what is what is what, and what is not is not what it is"

START_TEST(decode_reads_one_whole_stream)
{
	struct decode_settings s = { codings[_i], 200, 0 };
	struct arena a = { 0 };
	struct bytes plain = BYTES(WORDS);
	struct bytes good = encode(&a, plain, s.coding);
	uint8_t *twice = arena_alloc(&a, 2 * good.n);
	struct drive d = { .type = &decode_filter, .settings = &s };

	assert_at_every_cut(s, good, plain, NULL);
	assert_at_every_cut(s, (struct bytes){ 0 }, (struct bytes){ 0 }, NULL);
	for (d.room = 1; d.room <= plain.n + 1; d.room++)
		assert_decodes(&d, good, plain, NULL);
	for (size_t n = 1; n < good.n; n++)
		assert_at_every_cut(
		    s, (struct bytes){ good.p, n }, plain, CUT_SHORT);
	memcpy(twice, good.p, good.n);
	memcpy(twice + good.n, good.p, good.n);
	for (size_t n = good.n + 1; n <= 2 * good.n; n++)
		assert_at_every_cut(
		    s, (struct bytes){ twice, n }, plain, BEHIND);
	arena_release(&a);
}
END_TEST

START_TEST(decode_notices_damage)
{
	static const struct {
		enum decode_coding coding;
		struct bytes body;
	} bodies[] = {
		{ DECODE_GZIP, BYTES_ROW("plain text") },
		{ DECODE_DEFLATE, BYTES_ROW("plain text") },
		{ DECODE_BROTLI, BYTES_ROW("\xff\xff\xff\xff\xff\xff") },
		{ DECODE_ZSTD, BYTES_ROW("plain text") },
		/* a window of 16 MiB, of 8 MiB is taken (and waits) */
		{ DECODE_ZSTD,
		    BYTES_ROW("\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00") },
		/* a dictionary that nobody has */
		{ DECODE_ZSTD,
		    BYTES_ROW("\x28\xb5\x2f\xfd\x21\x05\x00\x01\x00\x00") },
		/* brotli's large window */
		{ DECODE_BROTLI, BYTES_ROW("\x11\x1e\x06\x00\x00\x00\x00") },
	};
	struct decode_settings s = { bodies[_i].coding, 200, 0 };

	ck_assert_int_lt(_i, COUNT(bodies));
	assert_at_every_cut(s, bodies[_i].body, (struct bytes){ 0 }, DAMAGED);
}
END_TEST

START_TEST(decode_takes_a_window_of_8_mib)
{
	static const char empty[] = "\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00";
	struct decode_settings s = { DECODE_ZSTD, 200, 0 };

	assert_at_every_cut(s,
	    (struct bytes){ (const uint8_t *)empty, sizeof(empty) - 1 },
	    (struct bytes){ 0 }, NULL);
}
END_TEST

/* 1 MiB may come of however little; then the ratio counts, which is looked at
 * with each 128 KiB, whatever the pieces and the room. */
START_TEST(decode_grows_within_its_ratio)
{
	static const struct {
		size_t n;
		const char *why;
	} sizes[] = { { 1 << 20, NULL }, { (1 << 20) + 131071, NULL },
		{ (1 << 20) + 131073, GROWS }, { 8 << 20, GROWS } };
	struct decode_settings s = { codings[_i], 200, 0 };
	struct arena a = { 0 };
	struct bytes plain = { arena_alloc(&a, 8 << 20), 0 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct drive d = { .type = &decode_filter, .settings = &s };
		struct bytes body;

		plain.n = sizes[i].n;
		body = encode(&a, plain, s.coding);
		for (d.cut = 0; d.cut <= body.n; d.cut += 1 + body.n / 8)
			for (d.room = 1000; d.room <= 300000; d.room += 99000)
				assert_decodes(&d, body, plain, sizes[i].why);
		s.ratio_max = 2000000;
		assert_decodes(&d, body, plain, NULL);
		s.ratio_max = 200;
	}
	arena_release(&a);
}
END_TEST

START_TEST(decode_has_a_limit_in_all)
{
	struct decode_settings s = { codings[_i], 200, 0 };
	struct arena a = { 0 };
	struct bytes plain = BYTES(WORDS);
	struct bytes body = encode(&a, plain, s.coding);

	s.total_max = plain.n;
	assert_at_every_cut(s, body, plain, NULL);
	s.total_max = plain.n - 1;
	assert_at_every_cut(s, body, plain, TOO_LONG);
	arena_release(&a);
}
END_TEST

Suite *
decode_suite(void)
{
	Suite *s = suite_create("decode");
	TCase *t = tcase_create("decode");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(
	    t, decode_reads_one_whole_stream, 0, COUNT(codings));
	tcase_add_loop_test(t, decode_notices_damage, 0, 7);
	tcase_add_test(t, decode_takes_a_window_of_8_mib);
	tcase_add_loop_test(
	    t, decode_grows_within_its_ratio, 0, COUNT(codings));
	tcase_add_loop_test(t, decode_has_a_limit_in_all, 0, COUNT(codings));
	suite_add_tcase(s, t);
	return s;
}
