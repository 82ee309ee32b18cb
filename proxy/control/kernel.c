/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/control/kernel.h"

#include <time.h>

#include "proxy/base/language.h"
#include "proxy/kernel/enforced.h"
#include "proxy/kernel/kernel.h"
#include "proxy/settings.h"

#define FAILED 1
#define UNKNOWN 2

static int
fail(const struct err *e)
{
	fprintf(stderr, "sekishoctl: isolation: %s\n", e->text);
	return FAILED;
}

static void
say(FILE *out, const char *en, const char *ja)
{
	fputs(language_is_japanese() ? ja : en, out);
	fputc('\n', out);
}

static struct settings *
load(const struct isolation_order *o)
{
	static struct err_list all;
	struct err e = { .list = &all };
	struct settings *s = settings_load(o->config, &e);

	if (s == NULL)
		err_print(&e, stderr);
	return s;
}

/* As the settings want it now. NULL: it was said why not. */
static struct kernel *
wanted_by(const struct settings *s)
{
	struct grant_settings granting = settings_granting(s);
	struct arena a = { 0 };
	struct kernel *k = NULL;
	struct err e = { 0 };
	struct ruleset r;

	if (ruleset_of(
		&granting, s->processes.gate_user, time(NULL), &a, &r, &e) == 0)
		k = kernel_new(&r, &e);
	if (k == NULL)
		fail(&e);
	arena_release(&a);
	return k;
}

static struct kernel *
wanted(const struct isolation_order *o)
{
	struct settings *s = load(o);
	struct kernel *k = s == NULL ? NULL : wanted_by(s);

	settings_free(s);
	return k;
}

int
kernel_print(const struct isolation_order *o)
{
	struct kernel *k = wanted(o);
	struct bytes text;

	if (k == NULL)
		return FAILED;
	text = kernel_text(k);
	fwrite(text.p, 1, text.n, stdout);
	kernel_free(k);
	return 0;
}

static int
apply(struct kernel *k)
{
	struct err e = { 0 };
	int result = 0;

	if (k == NULL)
		return FAILED;
	if (kernel_apply(k, &e) < 0)
		result = fail(&e);
	else
		say(stdout, "loaded", "読み込ませました");
	kernel_free(k);
	return result;
}

int
kernel_load(const struct isolation_order *o)
{
	return apply(wanted(o));
}

int
kernel_boot(const struct isolation_order *o)
{
	struct settings *s = load(o);
	int result;

	if (s == NULL)
		return FAILED;
	if (s->isolation->settings.kernel) {
		result = apply(wanted_by(s));
	} else {
		say(stdout, "isolation.kernel is false: nothing is loaded",
		    "isolation.kernel が false なので読み込ませません");
		result = 0;
	}
	settings_free(s);
	return result;
}

static int
print_drift(const struct kernel_drift *d)
{
	say(stdout, "the kernel's rules are not those of the settings:",
	    "カーネルの規則が設定と異なります:");
	for (size_t i = 0; i < d->n && i < KERNEL_TOLD_MAX; i++)
		printf("  %s\n", d->words[i]);
	if (d->n > KERNEL_TOLD_MAX)
		printf(language_is_japanese() ? "  ほか %zu 件\n"
					      : "  and %zu more\n",
		    d->n - KERNEL_TOLD_MAX);
	return FAILED;
}

int
kernel_check(const struct isolation_order *o)
{
	struct kernel *k = wanted(o);
	struct kernel_drift d;
	struct err e = { 0 };
	int result = UNKNOWN;

	if (k == NULL)
		return UNKNOWN;
	switch (kernel_verify(k, &d, &e)) {
	case KERNEL_UNKNOWN:
		fail(&e);
		break;
	case KERNEL_DIFFERS:
		result = print_drift(&d);
		break;
	case KERNEL_SAME:
		say(stdout, "the kernel holds the rules",
		    "カーネルの規則は設定どおりです");
		result = 0;
		break;
	}
	if (result != UNKNOWN && d.bypassed)
		say(stdout,
		    "note: a flowtable of another table may carry connections"
		    " past these rules",
		    "注意: ほかの表の flowtable "
		    "により、接続がこの規則を通らない"
		    "ことがあります");
	kernel_free(k);
	return result;
}

int
kernel_unload(const struct isolation_order *o)
{
	struct err e = { 0 };

	(void)o;
	if (kernel_remove(&e) < 0)
		return fail(&e);
	say(stdout, "removed", "取り除きました");
	return 0;
}
