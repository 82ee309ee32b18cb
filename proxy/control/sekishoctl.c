/* SPDX-License-Identifier: Apache-2.0 */
/* sekishoctl: the administrator's command. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proxy/base/language.h"
#include "proxy/base/log.h"
#include "proxy/base/when.h"
#include "proxy/board.h"
#include "proxy/control/detox.h"
#include "proxy/control/isolation.h"
#include "proxy/control/lists.h"
#include "proxy/control/log.h"
#include "proxy/control/mails.h"
#include "proxy/control/policies.h"
#include "proxy/control/separation.h"
#include "proxy/control/sets.h"
#include "proxy/policy/explain.h"
#include "proxy/settings.h"
#include "proxy/smtp/explain.h"

#define DEFAULT_CONFIG "/etc/sekisho/sekisho.conf"
#define FAILED 1
#define USAGE 64 /* EX_USAGE; 2 says that explain found a block */

struct options {
	const char *config;
	const char *socket; /* NULL: as the settings say */
	const char *from;
	const char *method;
	const char *at;
	const char *log;
	const char *head;
	bool json;
	bool verify;
	struct lists_order lists;
	const char *profile, *profiles, *declared, *passwords;
	const char *helo, *sender, *recipient; /* of explain mail; or NULL */
	struct separation_command separation;
	char **words; /* behind the subcommand */
	int words_n;
};

static int
fail(const char *words)
{
	fprintf(stderr, "sekishoctl: %s\n", words);
	return FAILED;
}

static struct settings *
load(const struct options *o)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load_to_ask(o->config, &e);

	if (s == NULL)
		err_print(&e, stderr);
	return s;
}

/* The daemon. */

/* As -s says, or as the settings do; other faults in them are not in the way
 * of asking the daemon, which may be there to tell of them. */
static const char *
socket_path(const struct options *o, struct arena *a)
{
	struct settings s = { .folder = settings_folder(a, o->config) };
	struct err e = { 0 };
	config_t config;

	if (o->socket != NULL)
		return o->socket;
	if (setting_read(o->config, &config, &e) < 0 ||
	    setting_load(control_table, control_table_n,
		config_lookup(&config, "control"), &s.control, a, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		must(setting_load(control_table, control_table_n, NULL,
			 &s.control, a, &e) == 0);
	}
	config_destroy(&config);
	return settings_path(&s, a, s.control.socket);
}

static int
not_connected(const char *path, int error)
{
	bool denied = error == EACCES || error == EPERM;

	if (language_is_japanese())
		fprintf(stderr, "sekishoctl: %s: %s: %s\n", path,
		    denied ? "権限がありません（root で実行してください）"
			   : "sekishod が動いていません",
		    strerror(error));
	else
		fprintf(stderr, "sekishoctl: %s: %s: %s\n", path,
		    denied ? "not permitted; ask as root"
			   : "sekishod does not run",
		    strerror(error));
	return -1;
}

static int
connect_daemon(const struct options *o)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct arena a = { 0 };
	const char *path = socket_path(o, &a);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path))
		errno = ENAMETOOLONG;
	else
		memcpy(sa.sun_path, path, strlen(path) + 1);
	if (fd < 0 || sa.sun_path[0] == '\0' ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		not_connected(path, errno);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	arena_release(&a);
	return fd;
}

static int
ask(const struct options *o, const char *request)
{
	int fd = connect_daemon(o);
	char bytes[4096];
	bool ok = false;
	bool first = true;
	ssize_t n;

	if (fd < 0)
		return FAILED;
	/* Who is sent away may be gone already: no signal. What was said to us
	 * is there all the same. */
	(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		struct bytes b = { (uint8_t *)bytes, (size_t)n };

		if (first)
			ok = bytes_equal(
			    bytes_take_until(&b, '\n'), BYTES("ok"));
		first = false;
		fwrite(b.p, 1, b.n, ok ? stdout : stderr);
	}
	close(fd);
	if (first)
		return fail("sekishod gave no answer: it ended, or too many ask"
			    " at once; nothing is known of what was asked for");
	return ok ? 0 : FAILED;
}

static int
status(const struct options *o)
{
	if (o->json)
		return ask(o, "status json\n");
	return ask(o, language_is_japanese() ? "status ja\n" : "status\n");
}

static int
reload(const struct options *o)
{
	return ask(o, "reload\n");
}

static int
rotate(const struct options *o)
{
	return ask(o, "rotate\n");
}

/* The rule is looked up in the files, so that its words and time are known. */
static int
release(const struct options *o)
{
	struct address from;
	struct settings *s;
	const struct rule *rule;
	char request[256];
	int result;

	if (o->words_n != 1 || o->from == NULL ||
	    address_parse(&from, bytes_of(o->from)) < 0)
		return fail("release: expected --from ADDRESS and a rule");
	s = load(o);
	if (s == NULL)
		return FAILED;
	rule = policy_rule(s->policy, bytes_of(o->words[0]));
	if (rule == NULL || !rule_asks_why(rule)) {
		result = fail("release: expected a rule that warns, or blocks"
			      " with release");
	} else {
		snprintf(request, sizeof(request), "release %s %llu %s\n",
		    o->from, (unsigned long long)rule->lasts_ms / 1000,
		    rule->name);
		result = ask(o, request);
	}
	settings_free(s);
	return result;
}

/* Offline. */

static int
explain_mail(const struct options *o)
{
	struct mail_question q = {
		.helo = o->helo,
		.sender = o->sender,
		.recipient = o->recipient,
	};
	struct settings *s;
	int result = FAILED;

	if (o->words_n != 1 || o->from == NULL || o->sender == NULL ||
	    o->recipient == NULL)
		return fail("explain mail: expected --from ADDRESS --mail-from"
			    " A --rcpt-to B");
	if (address_parse(&q.from, bytes_of(o->from)) < 0)
		return fail("explain mail: --from: expected an address");
	s = load(o);
	if (s == NULL)
		return FAILED;
	q.settings = &s->mail;
	if (s->routes == NULL)
		fail("explain mail: the settings name no mail.routes: no mail"
		     " is taken");
	else
		result = mail_explain(s->routes, s->zones, &q,
		    o->json ? EXPLAIN_JSON : EXPLAIN_TEXT, stdout);
	settings_free(s);
	return result;
}

static int
explain(const struct options *o)
{
	struct address from;
	struct settings *s;
	time_t now = time(NULL);
	int result;

	if (o->words_n > 0 && strcmp(o->words[0], "mail") == 0)
		return explain_mail(o);
	if (o->words_n != 1 || o->from == NULL)
		return fail("explain: expected --from ADDRESS and a URL");
	if (address_parse(&from, bytes_of(o->from)) < 0)
		return fail("explain: --from: expected an address");
	if (o->at != NULL && when_instant(bytes_of(o->at), &now) < 0)
		return fail("explain: --at: expected a time such as"
			    " 2026-11-24T09:00:00+0900");
	s = load(o);
	if (s == NULL)
		return FAILED;
	result = explain_print(s->policy, s->zones, &from,
	    bytes_of(o->words[0]), bytes_of(o->method), now,
	    o->json ? EXPLAIN_JSON : EXPLAIN_TEXT, stdout);
	settings_free(s);
	return result;
}

static int
policy(const struct options *o)
{
	const struct policies_order order = {
		.words = o->words,
		.words_n = o->words_n,
		.config = o->config,
		.log = o->log,
		.from = o->from,
	};

	return policies_command(&order);
}

/* "queue list", "queue show ID": the words go to the daemon as they are. */
static int
queue(const struct options *o)
{
	char request[256];
	const char *id = o->words_n > 1 ? o->words[1] : "";

	if (o->words_n < 1 || o->words_n > 2 ||
	    (o->words_n == 1) != (strcmp(o->words[0], "list") == 0))
		return fail("queue: expected list, or show, retry, hold or"
			    " drop and a mail's number");
	snprintf(request, sizeof(request), "queue %.32s%s%.64s\n", o->words[0],
	    id[0] == '\0' ? "" : " ", id);
	return ask(o, request);
}

/* Who became root: root is nobody in particular. */
static const char *
told_name(void)
{
	const char *name = getenv("SUDO_USER");

	return getuid() != 0 || name == NULL || name[0] == '\0' ||
		strcmp(name, "root") == 0
	    ? "-"
	    : name;
}

/* "quarantine list", "quarantine show ID": an original's number. */
static int
quarantine(const struct options *o)
{
	char request[256];
	bool list = o->words_n > 0 && strcmp(o->words[0], "list") == 0;
	const char *rest = !list ? (o->words_n > 1 ? o->words[1] : "")
	    : o->json            ? "json"
				 : "";

	if (o->words_n < 1 || o->words_n > 2 || list != (o->words_n == 1))
		return fail("quarantine: expected list, or show, release,"
			    " approve or delete and an original's number");
	snprintf(request, sizeof(request), "quarantine %.64s %.32s%s%.64s\n",
	    told_name(), o->words[0], rest[0] == '\0' ? "" : " ", rest);
	return ask(o, request);
}

/* "handover list", "handover approve NUMBER". Who became root is told with the
 * number of that user: a file in a folder has that of who put it there. */
static int
handover(const struct options *o)
{
	const char *told = told_name();
	const char *uid = getenv("SUDO_UID");
	bool list = o->words_n > 0 && strcmp(o->words[0], "list") == 0;
	const char *rest = !list ? (o->words_n > 1 ? o->words[1] : "")
	    : o->json            ? "json"
				 : "";
	char request[256];

	if (o->words_n < 1 || o->words_n > 2 || list != (o->words_n == 1))
		return fail("handover: expected list, or show, approve, refuse"
			    " or delete and a number");
	snprintf(request, sizeof(request),
	    "handover %.48s%s%.12s %.32s%s%.64s\n", told,
	    told[0] == '-' || uid == NULL ? "" : ":",
	    told[0] == '-' || uid == NULL ? "" : uid, o->words[0],
	    rest[0] == '\0' ? "" : " ", rest);
	return ask(o, request);
}

static int
ask_separation(const void *owner, const char *line)
{
	return ask(owner, line);
}

static int
separation(const struct options *o)
{
	struct separation_command c = o->separation;

	c.words = o->words;
	c.words_n = o->words_n;
	c.config = o->config;
	c.json = o->json;
	c.from = o->from;
	c.told = told_name();
	c.ask = ask_separation;
	c.owner = o;
	return separation_command(&c);
}

/* The journal as --log says, or as the settings do. */
static int
mail(const struct options *o)
{
	struct trace_order order = { .journal = o->log, .json = o->json };
	struct arena a = { 0 };
	struct settings *s = NULL;
	int result;

	if (o->words_n != 2 || strcmp(o->words[0], "trace") != 0)
		return fail("mail: expected trace and a mail's number or"
			    " Message-ID");
	order.id = o->words[1];
	if (order.journal == NULL) {
		s = load(o);
		if (s == NULL)
			return FAILED;
		order.journal = settings_path(s, &a, s->journal.file);
	}
	result = mail_trace(&order);
	settings_free(s);
	arena_release(&a);
	return result == 0 ? 0 : FAILED;
}

static int
manual(const struct options *o)
{
	const char *what = o->words_n > 0 ? o->words[0] : "";
	const char *language = o->words_n > 1 ? o->words[1]
	    : language_is_japanese()          ? "ja"
					      : "en";

	if (strcmp(what, "settings") == 0) {
		settings_groups_fill();
		setting_manual(
		    stdout, settings_groups, SETTINGS_GROUPS, language);
	} else if (strcmp(what, "events") == 0) {
		log_manual(stdout, language);
	} else if (strcmp(what, "counters") == 0) {
		board_manual(stdout, language);
	} else if (strcmp(what, "detox") == 0) {
		detox_manual(stdout, language);
	} else {
		return fail("manual: expected settings, events, counters or"
			    " detox, and ja or en");
	}
	return 0;
}

static int
lists(const struct options *o)
{
	struct lists_order order = o->lists;

	order.json = o->json;
	order.words = o->words;
	order.words_n = (size_t)o->words_n;
	order.now = time(NULL);
	if (o->at != NULL && when_instant(bytes_of(o->at), &order.now) < 0)
		return fail("lists: --at: expected a time such as"
			    " 2026-11-24T09:00:00+0900");
	return lists_command(&order);
}

static int
sets(const struct options *o)
{
	const struct sets_order order = {
		.words = o->words,
		.words_n = (size_t)o->words_n,
		.output = o->lists.output,
	};

	return sets_command(&order);
}

static int
detox(const struct options *o)
{
	const struct detox_command command = {
		.words = o->words,
		.words_n = (size_t)o->words_n,
		.profile = o->profile,
		.profiles = o->profiles,
		.declared = o->declared,
		.passwords = o->passwords,
		.json = o->json,
	};

	return detox_command(&command);
}

static int
isolation(const struct options *o)
{
	const struct isolation_order order = {
		.words = o->words,
		.words_n = o->words_n,
		.config = o->config,
		.json = o->json,
		.verify = o->verify,
	};

	return isolation_command(&order);
}

static int
log_files(const struct options *o)
{
	const struct log_order order = {
		.words = o->words,
		.words_n = o->words_n,
		.head = o->head,
		.json = o->json,
	};

	return log_command(&order);
}

static const struct {
	const char *name;
	int (*run)(const struct options *o);
	const char *arguments, *words_en, *words_ja;
} commands[] = {
	{ "status", status, "[--json]", "processes, connections, rates",
	    "プロセス、接続数、毎秒の件数" },
	{ "reload", reload, "", "take the settings files in anew",
	    "設定ファイルを読み直す" },
	{ "rotate", rotate, "", "open the journal file anew",
	    "ログファイルを開き直す" },
	{ "release", release, "--from ADDRESS RULE",
	    "let a client go on there for a time",
	    "規則を端末に一時的に解除する" },
	{ "explain", explain, "--from ADDRESS URL", "what would be decided",
	    "判定とその根拠を示す" },
	{ "policy", policy, "test|diff|replay|tenants",
	    "before a policy is in force", "方針を反映する前に確かめる" },
	{ "isolation", isolation, "SUBCOMMAND",
	    "separated networks and what reaches what",
	    "分離した区域と、通る通信" },
	{ "separation", separation, "list|suspend|…",
	    "which systems are separated now", "分離されたシステムの状態" },
	{ "lists", lists, "compile|lookup|show|…",
	    "URL lists: make, ask, go"
	    " back",
	    "URL 一覧の作成、照会、復帰" },
	{ "sets", sets, "compile|test",
	    "phrases and URL patterns: make,"
	    " try",
	    "語句・URL パターンの作成、試行" },
	{ "detox", detox, "IN OUT", "rebuild a file without what is dangerous",
	    "ファイルを無害化する" },
	{ "queue", queue, "list|show|retry|hold|drop",
	    "mails that wait in the spool", "スプールで待つメール" },
	{ "handover", handover, "list|show|approve|…",
	    "files that go from zone to zone", "区域の間で渡すファイル" },
	{ "quarantine", quarantine, "list|show|release|…",
	    "originals of mails that were changed",
	    "無害化で変えたメールの原本" },
	{ "mail", mail, "trace ID", "what became of a mail",
	    "メールの行方を記録から調べる" },
	{ "log", log_files, "verify FILE...",
	    "look whether a chained log was changed",
	    "連鎖ログの改変を調べる" },
	{ "manual", manual, "settings|events|…", "the tables, as Markdown",
	    "一覧表（Markdown）" },
};

static int
usage(FILE *out, int result)
{
	bool ja = language_is_japanese();

	fputs(ja ? "使い方: sekishoctl [-c 設定] [-s ソケット] 命令\n"
		 : "usage: sekishoctl [-c CONFIG] [-s SOCKET] COMMAND\n",
	    out);
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(out, "  %-10s %-26s %s\n", commands[i].name,
		    commands[i].arguments,
		    ja ? commands[i].words_ja : commands[i].words_en);
	fputs("  explain: --method M, --at 2026-11-24T09:00:00+0900, --json\n"
	      "  explain mail --from ADDRESS [--helo N] --mail-from A --rcpt-to"
	      " B [--json]\n"
	      "  policy test [FILE.cases …]\n"
	      "  policy diff OLD.conf       against the settings of -c\n"
	      "  policy replay --log FILE   a journal, by the settings of -c\n"
	      "  policy tenants --from ADDRESS   cloud services restricted\n",
	    out);
	isolation_usage(out);
	separation_usage(out);
	log_usage(out);
	lists_usage(out);
	sets_usage(out);
	detox_usage(out);
	return result;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "from", required_argument, NULL, 'f' },
		{ "method", required_argument, NULL, 'm' },
		{ "at", required_argument, NULL, 'a' },
		{ "log", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "verify", no_argument, NULL, 'y' },
		{ "output", required_argument, NULL, 'o' },
		{ "sources", required_argument, NULL, 'S' },
		{ "accept", required_argument, NULL, 'A' },
		{ "profile", required_argument, NULL, 'p' },
		{ "profiles", required_argument, NULL, 'P' },
		{ "declared", required_argument, NULL, 'd' },
		{ "password-file", required_argument, NULL, 'k' },
		{ "helo", required_argument, NULL, 'H' },
		{ "mail-from", required_argument, NULL, 'F' },
		{ "rcpt-to", required_argument, NULL, 'T' },
		{ "head", required_argument, NULL, 'D' },
		{ "key", required_argument, NULL, 'K' },
		{ "system", required_argument, NULL, 'N' },
		{ "verified-by", required_argument, NULL, 'v' },
		{ "how", required_argument, NULL, 'w' },
		{ "until", required_argument, NULL, 'u' },
		{ "statement", required_argument, NULL, 't' },
		{ "reason", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .config = DEFAULT_CONFIG, .method = "GET" };
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:s:o:Vh", longs, NULL)) != -1)
		switch (option) {
		case 'c':
			o.config = optarg;
			break;
		case 's':
			o.socket = optarg;
			break;
		case 'f':
			o.from = optarg;
			break;
		case 'm':
			o.method = optarg;
			break;
		case 'a':
			o.at = optarg;
			break;
		case 'l':
			o.log = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'y':
			o.verify = true;
			break;
		case 'o':
			o.lists.output = optarg;
			break;
		case 'S':
			o.lists.sources = optarg;
			break;
		case 'A':
			if (o.lists.accepted_n == LISTS_ACCEPTED_MAX)
				return fail("lists: too many --accept");
			o.lists.accepted[o.lists.accepted_n++] = optarg;
			break;
		case 'p':
			o.profile = optarg;
			break;
		case 'P':
			o.profiles = optarg;
			break;
		case 'd':
			o.declared = optarg;
			break;
		case 'k':
			o.passwords = optarg;
			break;
		case 'H':
			o.helo = optarg;
			break;
		case 'F':
			o.sender = optarg;
			break;
		case 'T':
			o.recipient = optarg;
			break;
		case 'D':
			o.head = optarg;
			break;
		case 'K':
			o.separation.key = optarg;
			break;
		case 'N':
			o.separation.name = optarg;
			break;
		case 'v':
			o.separation.verified_by = optarg;
			break;
		case 'w':
			o.separation.how = optarg;
			break;
		case 'u':
			o.separation.until = optarg;
			break;
		case 't':
			o.separation.statement = optarg;
			break;
		case 'r':
			o.separation.reason = optarg;
			break;
		case 'V':
			puts("sekishoctl " SEKISHO_VERSION);
			return 0;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, USAGE);
		}
	if (optind == argc)
		return usage(stderr, USAGE);
	o.words = argv + optind + 1;
	o.words_n = argc - optind - 1;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return commands[i].run(&o);
	return usage(stderr, USAGE);
}
