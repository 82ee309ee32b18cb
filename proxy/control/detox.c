/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/detox.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filters/text/utf8.h"
#include "proxy/base/file.h"
#include "proxy/base/language.h"
#include "proxy/detox/treat.h"
#include "proxy/detox/zygote.h"

enum {
	DONE = 0,
	FAILED = 1,
	REFUSED = 2,
};

#define DEFAULT_PROFILES "/etc/sekisho/policies/detox.conf"
#define NOBODY "65534:65534"
#define PROCESSES_MAX 4096
#define SECRET_MAX 8192

static const struct detox_settings one_job = {
	.jobs_max = 1,
	.waiting_max = 1,
	.memory_max = (uint64_t)2 << 30,
	.time_ms = 60000,
};

struct run {
	const struct detox_command *command;
	struct detox_profiles profiles;
	size_t profile;    /* its index */
	struct buf secret; /* the file of passwords */
	struct detox_passwords passwords;
	struct loop *loop;
	bool gone; /* the zygote */
	int status;
};

static int
fail(const char *what)
{
	fprintf(stderr, "sekishoctl: detox: %s\n", what);
	return FAILED;
}

static void
hex(const uint8_t digest[DETOX_DIGEST_SIZE], char out[65])
{
	for (size_t i = 0; i < DETOX_DIGEST_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static json_t *
hex_json(const uint8_t digest[DETOX_DIGEST_SIZE])
{
	char text[65];

	hex(digest, text);
	return json_string(text);
}

/* A name from the file may be no UTF-8. */
static json_t *
text_json(const char *text)
{
	json_t *j = json_string(text);

	return j != NULL ? j : json_string("?");
}

static json_t *
removals_json(const struct detox_report *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->rows_n; i++) {
		const struct detox_row *row = &r->rows[i];
		json_t *one = json_pack("{s:s, s:o, s:I}", "what",
		    detox_removal_words[row->what].name, "where",
		    text_json(row->where), "count", (json_int_t)row->count);

		if (row->has_digest)
			json_object_set_new(
			    one, "sha256", hex_json(row->digest));
		json_array_append_new(all, one);
	}
	return all;
}

static const char *const verdicts[] = {
	[DETOX_IS_REFUSED] = "refused",
	[DETOX_IS_UNCHANGED] = "unchanged",
	[DETOX_IS_SANITISED] = "sanitised",
};

static bool
is_refused(const struct detox_outcome *o)
{
	return o->verdict == DETOX_IS_REFUSED;
}

static void
add_refusal(json_t *all, const struct detox_report *r)
{
	json_object_set_new(all, "refusal",
	    json_pack("{s:s, s:s, s:s, s:o}", "reason",
		detox_refusal_words[r->refusal].name, "ja",
		detox_refusal_words[r->refusal].text[0], "en",
		detox_refusal_words[r->refusal].text[1], "why",
		text_json(r->why)));
}

static void
add_text(json_t *all, const struct detox_report *r)
{
	if (r->text_in > 0)
		json_object_set_new(all, "text_kept",
		    json_real((double)r->text_out / (double)r->text_in));
}

static void
print_json(const struct run *run, const struct detox_outcome *o)
{
	const struct detox_report *r = &o->report;
	json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I}", "result",
	    verdicts[o->verdict], "profile",
	    run->profiles.all[run->profile].name, "type",
	    magic_type_name(r->type), "removals", removals_json(r),
	    "removals_left_out", (json_int_t)r->rows_left_out, "us",
	    (json_int_t)o->us);

	if (r->format != NULL)
		json_object_set_new(
		    all, "format", json_string(r->format->name));
	if (run->command->declared != NULL)
		json_object_set_new(
		    all, "declared", text_json(run->command->declared));
	if (r->disagrees[0] != '\0')
		json_object_set_new(all, "disagrees", text_json(r->disagrees));
	if (r->extension[0] != '\0')
		json_object_set_new(all, "extension", text_json(r->extension));
	if (is_refused(o))
		add_refusal(all, r);
	if (r->locked + r->opened > 0)
		json_object_set_new(all, "passwords",
		    json_pack("{s:I, s:I}", "missing", (json_int_t)r->locked,
			"opened", (json_int_t)r->opened));
	if (o->exception != NULL)
		json_object_set_new(all, "exception",
		    json_pack("{s:o, s:o}", "owner",
			text_json(o->exception->owner), "reason",
			text_json(o->exception->reason)));
	add_text(all, r);
	json_object_set_new(all, "unpacked",
	    json_pack("{s:I, s:I}", "bytes", (json_int_t)r->unpacked, "entries",
		(json_int_t)r->entries));
	json_object_set_new(all, "input",
	    json_pack("{s:I, s:o}", "bytes", (json_int_t)o->in_size, "sha256",
		hex_json(o->in_digest)));
	if (!is_refused(o))
		json_object_set_new(all, "output",
		    json_pack("{s:I, s:o}", "bytes", (json_int_t)o->size,
			"sha256", hex_json(o->digest)));
	json_object_set_new(all, "policy",
	    json_pack("{s:o}", "sha256",
		hex_json(run->profiles.digests[run->profile])));
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void
print_words(const struct detox_outcome *o)
{
	static const char *const words[][2] = {
		[DETOX_IS_REFUSED] = { "拒否", "refused" },
		[DETOX_IS_UNCHANGED] = { "変更なし", "unchanged" },
		[DETOX_IS_SANITISED] = { "無害化済み", "sanitised" },
	};
	const struct detox_report *r = &o->report;
	int language = language_is_japanese() ? 0 : 1;

	printf(
	    "%s (%s)", words[o->verdict][language], magic_type_name(r->type));
	if (is_refused(o))
		printf(": %s (%s)",
		    detox_refusal_words[r->refusal].text[language], r->why);
	putchar('\n');
	for (size_t i = 0; i < r->rows_n; i++)
		printf("  - %s x%u%s%s\n",
		    detox_removal_words[r->rows[i].what].text[language],
		    r->rows[i].count, r->rows[i].where[0] != '\0' ? ": " : "",
		    r->rows[i].where);
	if (r->rows_left_out > 0)
		printf("  - +%u\n", r->rows_left_out);
}

static int
fail_at(const char *path, const char *what)
{
	fprintf(stderr, "sekishoctl: detox: %s: %s\n", path, what);
	return FAILED;
}

/* A device, a pipe or a link is not replaced by a file. */
static bool
may_write(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 || S_ISREG(st.st_mode);
}

/* Beside OUT, so that it can take its name. */
static int
open_beside(const char *path, char new[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder = slash == NULL ? 0 : (int)(slash - path) + 1;

	if (snprintf(new, PATH_MAX, "%.*s.sekisho-XXXXXX", folder, path) >=
	    PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkstemp(new);
}

/* Whole or not at all. */
static int
write_output(const char *path, const struct detox_outcome *o)
{
	mode_t mask = umask(0);
	char new[PATH_MAX];
	uint8_t *p = NULL;
	int error;
	int fd;

	umask(mask);
	if (!may_write(path))
		return fail_at(path, "is there and no regular file");
	if (o->size > 0)
		p = mmap(NULL, o->size, PROT_READ, MAP_PRIVATE, o->fd, 0);
	if (p == MAP_FAILED)
		return fail(strerror(errno));
	fd = open_beside(path, new);
	if (fd < 0)
		goto unmap;
	if (file_write(fd, (struct bytes){ p, o->size }) < 0 ||
	    fchmod(fd, 0666 & ~mask) < 0 || fsync(fd) < 0 ||
	    rename(new, path) < 0)
		goto unlink;
	close(fd);
	if (p != NULL)
		munmap(p, o->size);
	return DONE;
unlink:
	error = errno;
	close(fd);
	unlink(new);
	errno = error;
unmap:
	error = errno;
	if (p != NULL)
		munmap(p, o->size);
	return fail_at(path, strerror(error));
}

static void
on_done(void *owner, struct detox_outcome *o)
{
	struct run *run = owner;

	loop_stop(run->loop);
	if (run->gone) {
		run->status = fail("the sandbox could not be made, or ended");
		return;
	}
	run->status =
	    is_refused(o) ? REFUSED : write_output(run->command->words[1], o);
	if (run->status != FAILED && run->command->json)
		print_json(run, o);
	else if (run->status != FAILED)
		print_words(o);
	if (o->fd >= 0)
		close(o->fd);
}

static void
on_gone(void *owner)
{
	struct run *run = owner;

	run->gone = true;
	loop_stop(run->loop);
}

/* A folder that is nobody's: it was removed when it becomes the root. */
static const char *
empty_root(void)
{
	char folder[] = "/tmp/sekisho.XXXXXX";

	if (mkdtemp(folder) == NULL)
		return NULL;
	return chdir(folder) == 0 && rmdir(folder) == 0 ? "." : NULL;
}

static int
zygote_main(const struct run *run, int fd)
{
	bool root = geteuid() == 0;
	struct zygote_settings s = {
		.settings = &one_job,
		.profiles = run->profiles.all,
		.profiles_n = run->profiles.n,
		.sandbox = { .user = root ? NOBODY : NULL,
		    .processes_max = PROCESSES_MAX },
	};
	bool apart;

	if (root)
		s.sandbox.root = empty_root();
	apart = sandbox_apart();
	if (!root && apart)
		s.sandbox.root = empty_root();
	if (root && s.sandbox.root == NULL)
		return fail("no empty folder can be made");
	return zygote_run(&s, fd);
}

/* Of a line. They are in a file, as arguments can be seen by all. */
static int
read_passwords(struct run *run, struct err *e)
{
	struct detox_passwords *p = &run->passwords;
	struct bytes rest;

	buf_init(&run->secret, SECRET_MAX);
	if (run->command->passwords == NULL)
		return 0;
	if (file_read(run->command->passwords, &run->secret, e) < 0)
		return -1;
	rest = buf_bytes(&run->secret);
	while (rest.n > 0) {
		struct bytes line = bytes_take_until(&rest, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0)
			continue;
		if (p->n == DETOX_PASSWORDS_MAX ||
		    line.n > DETOX_PASSWORD_MAX || !utf8_is_valid(line) ||
		    bytes_index(line, '\0') >= 0)
			return err_set(e,
			    "%s: expected at most %d lines of %d bytes in"
			    " UTF-8",
			    run->command->passwords, DETOX_PASSWORDS_MAX,
			    DETOX_PASSWORD_MAX);
		p->all[p->n++] = line;
	}
	return 0;
}

static int
ask(struct run *run, int object, int fd)
{
	const char *in = run->command->words[0];
	const char *base = strrchr(in, '/');
	const struct detox_order order = {
		.profile = (uint32_t)run->profile,
		.name = bytes_of(base != NULL ? base + 1 : in),
		.declared = bytes_of(run->command->declared),
		.passwords = run->passwords,
	};
	struct detox_client *client;
	struct err e;

	run->loop = loop_new();
	client = detox_client_new(
	    run->loop, run->profiles.all, run->profiles.n, on_gone, run);
	detox_client_connect(client, fd);
	if (treat_new(run->loop, client, &run->profiles, object, &order,
		on_done, run, &e) == NULL)
		run->status = fail(e.text);
	else
		loop_run(run->loop);
	detox_client_free(client);
	loop_free(run->loop);
	return run->status;
}

static void
wipe(struct run *run)
{
	if (run->secret.p != NULL)
		explicit_bzero(run->secret.p, run->secret.size);
	buf_release(&run->secret);
	run->passwords.n = 0;
}

static int
run_one(struct run *run)
{
	struct buf content;
	struct err e;
	int ends[2];
	int object;
	pid_t pid;
	int status;

	/* One byte over the limit is for detox to refuse. */
	buf_init(&content, run->profiles.all[run->profile].in_max + 1);
	if (file_read(run->command->words[0], &content, &e) < 0)
		return fail(e.text);
	object = detox_seal(buf_bytes(&content), &e);
	buf_release(&content);
	if (object < 0)
		return fail(e.text);
	if (ipc_pair(ends, &e) < 0)
		return fail(e.text);
	pid = fork();
	if (pid < 0)
		return fail(strerror(errno));
	if (pid == 0) {
		close(ends[0]);
		close(object);
		wipe(run);
		_exit(zygote_main(run, ends[1]));
	}
	close(ends[1]);
	status = ask(run, object, ends[0]);
	close(object);
	waitpid(pid, NULL, 0);
	return status;
}

int
detox_command(const struct detox_command *c)
{
	struct run run = { .command = c, .status = FAILED };
	struct err e = { 0 };
	ssize_t found;
	int status;

	if (c->words_n != 2)
		return fail("expected IN and OUT");
	if (detox_profiles_load(&run.profiles,
		c->profiles != NULL                       ? c->profiles
		    : access(DEFAULT_PROFILES, F_OK) == 0 ? DEFAULT_PROFILES
							  : NULL,
		&e) < 0)
		return fail(e.text);
	found = detox_profiles_find(
	    &run.profiles, c->profile != NULL ? c->profile : "standard");
	if (found < 0) {
		status = fail("no such profile");
	} else if (read_passwords(&run, &e) < 0) {
		status = fail(e.text);
	} else {
		run.profile = (size_t)found;
		status = run_one(&run);
	}
	wipe(&run);
	detox_profiles_release(&run.profiles);
	return status;
}

void
detox_usage(FILE *out)
{
	fputs("  detox [--profile NAME] [--profiles FILE] [--declared TYPE]"
	      " [--json]\n        [--password-file FILE] IN OUT\n",
	    out);
}

static void
print_table(FILE *out, const struct detox_words *words, size_t n, int language)
{
	fputs(language == 0 ? "| 名前 | 意味 |\n|---|---|\n"
			    : "| name | meaning |\n|---|---|\n",
	    out);
	for (size_t i = 0; i < n; i++)
		if (words[i].name != NULL)
			fprintf(out, "| `%s` | %s |\n", words[i].name,
			    words[i].text[language]);
}

void
detox_manual(FILE *out, const char *language)
{
	int l = strcmp(language, "ja") == 0 ? 0 : 1;

	fputs(l == 0 ? "### 除いたもの\n\n" : "### What is taken out\n\n", out);
	print_table(out, detox_removal_words, DETOX_REMOVAL_KINDS, l);
	fputs(
	    l == 0 ? "\n### 拒否の理由\n\n" : "\n### Why a file is refused\n\n",
	    out);
	print_table(out, detox_refusal_words, DETOX_REFUSAL_KINDS, l);
}
