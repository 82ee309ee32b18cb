/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power_spool write FOLDER FIRST: adds and ends mails, numbered from FIRST on,
 * until it is killed, and says what became of each, in words on stdout.
 * power_spool check FOLDER <WORDS: whether what is there is what was said;
 * prints counts and ends non-zero when it is not.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/smtp/spool.h"

#define MAILS_MAX 1000000
#define TICK_ENDS 64

struct word {
	uint32_t number;
	uint32_t what; /* 'a'cknowledged, 'e'nding, 'E'nded */
};

static struct {
	struct loop *loop;
	struct spool *spool;
	uint32_t ended[TICK_ENDS];
	size_t ended_n;
} writer;

static struct fate {
	bool acknowledged, ending, ended, there;
} fates[MAILS_MAX];
static unsigned wrong;

static void
say(uint32_t number, uint32_t what)
{
	const struct word w = { number, what };

	must(write(STDOUT_FILENO, &w, sizeof(w)) == sizeof(w));
}

static uint32_t
number_of(const struct spool_mail *m)
{
	uint32_t number;

	must(m->about.n == sizeof(number));
	memcpy(&number, m->about.p, sizeof(number));
	return number;
}

static size_t
fill(uint8_t out[65536], uint32_t number)
{
	uint32_t x = number * 2654435761u + 1;
	size_t n = number % 9 == 0 ? x % 60000 : x % 4000;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		out[i] = (uint8_t)(x >> 24);
	}
	return n;
}

static void
committed(void *owner, struct spool_mail *m)
{
	(void)owner;
	say(number_of(m), 'a');
}

static void
failed(void *owner, struct spool_mail *m, const char *why)
{
	(void)owner;
	(void)m;
	fprintf(stderr, "failed: %s\n", why);
}

static void
found(void *owner, struct spool_mail *m)
{
	(void)owner;
	(void)m;
}

static void
open_spool(const char *path)
{
	static const struct spool_events events = { committed, failed, found };
	const struct spool_limits limits = { .bytes_max = (uint64_t)1 << 40,
		.segment = 1 << 20 };
	struct err e = { 0 };

	writer.loop = loop_new();
	writer.spool =
	    spool_open(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), &limits,
		writer.loop, &events, NULL, &e);
	if (writer.spool == NULL) {
		fprintf(stderr, "%s\n", e.text);
		exit(EXIT_FAILURE);
	}
}

static void
end_some(void *owner, struct spool_mail *m)
{
	struct err e;

	(void)owner;
	if (!m->committed)
		return;
	if (rand() % 8 == 0)
		must(spool_note(writer.spool, m, BYTES("tried"), &e) == 0);
	if (rand() % 3 != 0 || writer.ended_n == TICK_ENDS)
		return;
	writer.ended[writer.ended_n++] = number_of(m);
	say(number_of(m), 'e');
	spool_end(writer.spool, m);
}

static void
add(uint32_t number)
{
	static uint8_t content[65536];
	const struct bytes piece = { content, fill(content, number) };
	struct err e;

	if (spool_add(writer.spool,
		(struct bytes){ (const uint8_t *)&number, sizeof(number) },
		&piece, 1, &e) == NULL)
		fprintf(stderr, "%s\n", e.text);
}

static void
write_until_killed(uint32_t number)
{
	srand(number + 1);
	while (number < MAILS_MAX) {
		writer.ended_n = 0;
		spool_each(writer.spool, end_some, NULL);
		for (int i = rand() % 20; i >= 0; i--)
			add(number++);
		loop_stop(writer.loop);
		loop_run(writer.loop);
		for (size_t i = 0; i < writer.ended_n; i++)
			say(writer.ended[i], 'E');
	}
}

static void
see(void *owner, struct spool_mail *m)
{
	static uint8_t content[65536];
	uint32_t number = number_of(m);
	struct bytes want = { content, fill(content, number) };
	struct bytes got;
	struct err e;

	(void)owner;
	must(number < MAILS_MAX);
	fates[number].there = true;
	if (spool_map(writer.spool, m, &got, &e) < 0) {
		printf("%" PRIu32 ": %s\n", number, e.text);
		wrong++;
		return;
	}
	if (!bytes_equal(got, want)) {
		printf("%" PRIu32 " is not what was added\n", number);
		wrong++;
	}
	spool_unmap(writer.spool, got);
}

static void
hear(void)
{
	struct word w;

	while (fread(&w, sizeof(w), 1, stdin) == 1) {
		must(w.number < MAILS_MAX);
		fates[w.number].acknowledged |= w.what == 'a';
		fates[w.number].ending |= w.what == 'e';
		fates[w.number].ended |= w.what == 'E';
	}
}

static void
check(void)
{
	unsigned acknowledged = 0, there = 0;

	hear();
	spool_each(writer.spool, see, NULL);
	for (uint32_t i = 0; i < MAILS_MAX; i++) {
		const struct fate *f = &fates[i];

		acknowledged += f->acknowledged;
		there += f->there;
		if (f->acknowledged && !f->ending && !f->there) {
			printf("%" PRIu32 " was acknowledged and is lost\n", i);
			wrong++;
		}
		if (f->ended && f->there) {
			printf("%" PRIu32 " was ended and comes back\n", i);
			wrong++;
		}
	}
	printf("%u acknowledged, %u there, %u wrong\n", acknowledged, there,
	    wrong);
}

int
main(int argc, char **argv)
{
	uint64_t first = 0;

	if (argc < 3)
		return EXIT_FAILURE;
	open_spool(argv[2]);
	if (argc == 4 &&
	    bytes_number(bytes_of(argv[3]), MAILS_MAX, &first) == 0)
		write_until_killed((uint32_t)first);
	else
		check();
	spool_close(writer.spool);
	loop_free(writer.loop);
	return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
