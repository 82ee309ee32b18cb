/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/store/shelf.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "proxy/base/log.h"

#define VERSION 1
#define PIECE ((size_t)256 << 10) /* of content, a row each */
#define PIECE_BITS 16             /* of a piece's number; 16 GiB at most */

/* Behind schema, so that its statements can be prepared. */
enum statement {
	INSERT,
	INSERT_PIECE,
	HAS_ID,
	FIND_LEG,
	FIND,
	FIND_STATE,
	FIND_BEFORE,
	EACH,
	PIECES,
	CHANGE,
	DELETE,
	DELETE_PIECES,
	COUNT_ALL,
	CONTACT,
	SET_CONTACT,
	FORGET_CONTACTS,
	STATEMENTS,
};

#define ROW                                                       \
	"SELECT number, id, kept, bytes, state, asked_by, asked," \
	" approved_by, approved, released_as, about, lock FROM originals "

static const char *const words[STATEMENTS] = {
	[INSERT] = "INSERT INTO originals (id, leg, kept, bytes, about, lock)"
		   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[INSERT_PIECE] = "INSERT INTO pieces (number, data) VALUES (?1, ?2)",
	[HAS_ID] = "SELECT 1 FROM originals WHERE id = ?1",
	[FIND_LEG] = "SELECT id FROM originals WHERE leg = ?1",
	[FIND] = ROW "WHERE id = ?1",
	[FIND_STATE] = ROW "WHERE state = ?1 ORDER BY number LIMIT 1",
	[FIND_BEFORE] =
	    ROW "WHERE kept < ?1 AND state <> 2 ORDER BY kept LIMIT 1",
	[EACH] = ROW "ORDER BY number",
	[PIECES] = "SELECT data FROM pieces WHERE number >= ?1 AND"
		   " number < ?2 ORDER BY number",
	[CHANGE] = "UPDATE originals SET state = ?2, asked_by = ?3, asked = ?4,"
		   " approved_by = ?5, approved = ?6, released_as = ?7"
		   " WHERE number = ?1",
	[DELETE] = "DELETE FROM originals WHERE number = ?1",
	[DELETE_PIECES] = "DELETE FROM pieces WHERE number >= ?1 AND"
			  " number < ?2",
	[CONTACT] = "SELECT last FROM contacts WHERE who = ?1",
	[SET_CONTACT] = "INSERT INTO contacts (who, last) VALUES (?1, ?2)"
			" ON CONFLICT (who) DO UPDATE SET last = excluded.last",
	[FORGET_CONTACTS] = "DELETE FROM contacts WHERE last < ?1",
	[COUNT_ALL] = "SELECT count(*), total(bytes) FROM originals",
};

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE IF NOT EXISTS key (mark BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS originals ("
    " number INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " leg TEXT NOT NULL UNIQUE,"
    " kept INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0,"
    " asked_by TEXT NOT NULL DEFAULT '',"
    " asked INTEGER NOT NULL DEFAULT 0,"
    " approved_by TEXT NOT NULL DEFAULT '',"
    " approved INTEGER NOT NULL DEFAULT 0,"
    " released_as TEXT NOT NULL DEFAULT '',"
    " about BLOB NOT NULL,"
    " lock BLOB NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS by_kept ON originals (kept);"
    "CREATE INDEX IF NOT EXISTS by_state ON originals (state);"
    /* A list is read without what stands beside it. */
    "CREATE TABLE IF NOT EXISTS pieces ("
    " number INTEGER PRIMARY KEY," /* original << 16 | nth */
    " data BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS contacts ("
    " who BLOB PRIMARY KEY,"
    " last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* One process has the file: with an exclusive lock WAL needs no memory that is
 * shared by a file. FULL: a commit is an fdatasync. Deleted keys are
 * overwritten with zeros where they stood. */
static const char options[] = "PRAGMA page_size = 16384;"
			      "PRAGMA locking_mode = EXCLUSIVE;"
			      "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA secure_delete = FAST;"
			      "PRAGMA cell_size_check = ON;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA wal_autocheckpoint = 1024;"
			      "PRAGMA journal_size_limit = 33554432;";

struct shelf {
	sqlite3 *db;
	const struct vault *vault;
	sqlite3_stmt *statements[STATEMENTS];
	bool changed; /* a transaction is open */
	struct shelf_counts counts;
	struct shelf_counts committed;
	uint8_t piece[PIECE];
};

static int
failed(const struct shelf *s, struct err *e)
{
	return err_set(e, "store: %s", sqlite3_errmsg(s->db));
}

static int
execute(struct shelf *s, const char *sql, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
	    ? 0
	    : failed(s, e);
}

/* A statement that is ready for its values. */
static sqlite3_stmt *
ready(struct shelf *s, enum statement which)
{
	sqlite3_stmt *q = s->statements[which];

	sqlite3_reset(q);
	return q;
}

static void
set_text(sqlite3_stmt *q, int at, struct bytes b)
{
	must(sqlite3_bind_text(q, at, b.p == NULL ? "" : (const char *)b.p,
		 (int)b.n, SQLITE_STATIC) == SQLITE_OK);
}

static void
set_blob(sqlite3_stmt *q, int at, struct bytes b)
{
	must(sqlite3_bind_blob(q, at, b.p == NULL ? (const uint8_t *)"" : b.p,
		 (int)b.n, SQLITE_STATIC) == SQLITE_OK);
}

static void
set_number(sqlite3_stmt *q, int at, uint64_t n)
{
	must(sqlite3_bind_int64(q, at, (sqlite3_int64)n) == SQLITE_OK);
}

/* Runs one that gives no rows. */
static int
run(struct shelf *s, sqlite3_stmt *q, struct err *e)
{
	int result = sqlite3_step(q);

	if (result != SQLITE_DONE)
		failed(s, e);
	sqlite3_reset(q);
	return result == SQLITE_DONE ? 0 : -1;
}

static enum shelf_found
step(struct shelf *s, sqlite3_stmt *q, struct err *e)
{
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		return SHELF_FOUND;
	case SQLITE_DONE:
		return SHELF_NONE;
	default:
		failed(s, e);
		return SHELF_FAILED;
	}
}

static struct bytes
column(sqlite3_stmt *q, int at)
{
	const uint8_t *p = sqlite3_column_blob(q, at);

	return (struct bytes){ p, (size_t)sqlite3_column_bytes(q, at) };
}

/* Opening. */

static int
check_mark(struct shelf *s, struct err *e)
{
	uint8_t mark[VAULT_MARK_SIZE];
	struct bytes ours = { mark, sizeof(mark) };
	sqlite3_stmt *q = NULL;
	int result = -1;

	vault_mark(s->vault, mark);
	if (sqlite3_prepare_v2(s->db, "SELECT mark FROM key", -1, &q, NULL) !=
	    SQLITE_OK)
		return failed(s, e);
	switch (step(s, q, e)) {
	case SHELF_FOUND:
		result = bytes_equal(column(q, 0), ours)
		    ? 0
		    : err_set(e,
			  "store.key_file is not the key of the originals in "
			  "the"
			  " store's folder");
		sqlite3_finalize(q);
		return result;
	case SHELF_FAILED:
		sqlite3_finalize(q);
		return -1;
	case SHELF_NONE:
		break;
	}
	sqlite3_finalize(q);
	if (sqlite3_prepare_v2(s->db, "INSERT INTO key VALUES (?1)", -1, &q,
		NULL) != SQLITE_OK)
		return failed(s, e);
	set_blob(q, 1, ours);
	result = run(s, q, e);
	sqlite3_finalize(q);
	return result;
}

static int
check_version(struct shelf *s, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int version;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) !=
		SQLITE_OK ||
	    step(s, q, e) != SHELF_FOUND) {
		sqlite3_finalize(q);
		return failed(s, e);
	}
	version = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	return version <= VERSION
	    ? 0
	    : err_set(e,
		  "store: the originals are of version %d, expected at most %d"
		  " (an older sekishod than wrote them?)",
		  version, VERSION);
}

static int
prepare(struct shelf *s, struct err *e)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, words[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statements[i],
			NULL) != SQLITE_OK)
			return failed(s, e);
	return 0;
}

static int
count_all(struct shelf *s, struct err *e)
{
	sqlite3_stmt *q = ready(s, COUNT_ALL);

	if (step(s, q, e) != SHELF_FOUND)
		return -1;
	s->counts.originals = (uint64_t)sqlite3_column_int64(q, 0);
	s->counts.bytes = (uint64_t)sqlite3_column_double(q, 1);
	s->committed = s->counts;
	sqlite3_reset(q);
	return 0;
}

struct shelf *
shelf_open(const char *file, const struct vault *v, struct err *e)
{
	struct shelf *s = calloc(1, sizeof(*s));

	must(s != NULL);
	s->vault = v;
	if (sqlite3_open_v2(file, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		failed(s, e);
		goto close;
	}
	sqlite3_extended_result_codes(s->db, 1);
	if (execute(s, options, e) == 0 && check_version(s, e) == 0 &&
	    execute(s, schema, e) == 0 && check_mark(s, e) == 0 &&
	    prepare(s, e) == 0 && count_all(s, e) == 0)
		return s;
close:
	shelf_close(s);
	return NULL;
}

void
shelf_close(struct shelf *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	must(sqlite3_close(s->db) == SQLITE_OK);
	OPENSSL_cleanse(s->piece, sizeof(s->piece));
	free(s);
}

/* Changing. */

/* Each change stands or falls alone, and is durable with the others. */
static int
begin_change(struct shelf *s, struct err *e)
{
	if (!s->changed && execute(s, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	s->changed = true;
	return execute(s, "SAVEPOINT one", e);
}

static int
end_change(struct shelf *s, int result, struct err *e)
{
	struct err ignored;

	if (result == 0)
		return execute(s, "RELEASE one", e);
	/* A full disk may have ended the transaction: it is told by the commit,
	 * to all who changed something. */
	if (sqlite3_get_autocommit(s->db) == 0 &&
	    execute(s, "ROLLBACK TO one; RELEASE one", &ignored) == 0)
		return -1;
	return -1;
}

int
shelf_commit(struct shelf *s, struct err *e)
{
	struct err ignored;

	if (!s->changed)
		return 0;
	s->changed = false;
	if (sqlite3_get_autocommit(s->db) != 0)
		err_set(e, "store: the disk did not take it");
	else if (execute(s, "COMMIT", e) == 0) {
		s->committed = s->counts;
		return 0;
	}
	if (sqlite3_get_autocommit(s->db) == 0)
		execute(s, "ROLLBACK", &ignored);
	s->counts = s->committed;
	return -1;
}

void
shelf_undo(struct shelf *s)
{
	struct err ignored;

	if (s->changed && sqlite3_get_autocommit(s->db) == 0)
		execute(s, "ROLLBACK", &ignored);
	s->changed = false;
	s->counts = s->committed;
}

enum shelf_found
shelf_find_leg(
    struct shelf *s, struct bytes leg, char id_out[SHELF_ID_MAX], struct err *e)
{
	sqlite3_stmt *q = ready(s, FIND_LEG);
	enum shelf_found found;

	set_text(q, 1, leg);
	found = step(s, q, e);
	if (found == SHELF_FOUND)
		snprintf(
		    id_out, SHELF_ID_MAX, "%.*s", BYTES_PRINTF(column(q, 0)));
	sqlite3_reset(q);
	return found;
}

/* The mail's number, with ".2" and so on for its other legs. */
static int
choose_id(struct shelf *s, struct bytes mail, char id_out[SHELF_ID_MAX],
    struct err *e)
{
	enum shelf_found found = SHELF_FOUND;

	for (unsigned i = 1; found == SHELF_FOUND; i++) {
		sqlite3_stmt *q = ready(s, HAS_ID);
		int n = i == 1
		    ? snprintf(id_out, SHELF_ID_MAX, "%.*s", BYTES_PRINTF(mail))
		    : snprintf(id_out, SHELF_ID_MAX, "%.*s.%u",
			  BYTES_PRINTF(mail), i);

		if (n >= SHELF_ID_MAX)
			return err_set(e, "store: no number for an original");
		set_text(q, 1, bytes_of(id_out));
		found = step(s, q, e);
		sqlite3_reset(q);
	}
	return found == SHELF_NONE ? 0 : -1;
}

static int
insert(struct shelf *s, const struct shelf_object *o, const char *id,
    const struct vault_lock *lock, struct err *e)
{
	sqlite3_stmt *q = ready(s, INSERT);

	set_text(q, 1, bytes_of(id));
	set_text(q, 2, o->leg);
	set_number(q, 3, o->now);
	set_number(q, 4, o->content.n);
	set_blob(q, 5, o->about);
	set_blob(q, 6, (struct bytes){ (const uint8_t *)lock, sizeof(*lock) });
	return run(s, q, e);
}

/* The number that the row will get: the pieces go first, for the lock is whole
 * only behind the last one. */
static int
insert_pieces(struct shelf *s, int64_t number, struct vault_work *w,
    struct bytes content, struct err *e)
{
	int64_t piece = number << PIECE_BITS;
	sqlite3_stmt *q;

	while (content.n > 0) {
		struct bytes in = bytes_take(&content, PIECE);

		vault_pass(w, in, s->piece);
		q = ready(s, INSERT_PIECE);
		set_number(q, 1, (uint64_t)piece++);
		set_blob(q, 2, (struct bytes){ s->piece, in.n });
		if (run(s, q, e) < 0)
			return -1;
	}
	return 0;
}

static int
next_number(struct shelf *s, int64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(s->db,
		"SELECT coalesce(max(number), 0) + 1 FROM originals", -1, &q,
		NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		*out = sqlite3_column_int64(q, 0);
		result = 0;
	} else {
		failed(s, e);
	}
	sqlite3_finalize(q);
	return result;
}

static int
add(struct shelf *s, const struct shelf_object *o, const char *id,
    struct err *e)
{
	const struct vault_name name = { bytes_of(id), o->about };
	struct vault_lock lock;
	struct vault_work *w;
	int64_t number;

	if (next_number(s, &number, e) < 0)
		return -1;
	w = vault_seal(s->vault, &name, &lock);
	if (insert_pieces(s, number, w, o->content, e) < 0) {
		vault_cancel(w);
		return -1;
	}
	vault_seal_end(w, &lock);
	if (insert(s, o, id, &lock, e) < 0)
		return -1;
	return sqlite3_last_insert_rowid(s->db) == number
	    ? 0
	    : err_set(e, "store: the numbers of originals have run out");
}

int
shelf_keep(struct shelf *s, const struct shelf_object *o,
    char id_out[SHELF_ID_MAX], struct err *e)
{
	enum shelf_found there;

	if (o->content.n > PIECE << PIECE_BITS)
		return err_set(e, "store: too large for an original");
	there = shelf_find_leg(s, o->leg, id_out, e);
	if (there != SHELF_NONE)
		return there == SHELF_FOUND ? 0 : -1;
	if (choose_id(s, o->mail, id_out, e) < 0 || begin_change(s, e) < 0)
		return -1;
	if (end_change(s, add(s, o, id_out, e), e) < 0)
		return -1;
	s->counts.originals++;
	s->counts.bytes += o->content.n;
	return 0;
}

/* Looking. */

static void
copy_text(char *out, size_t size, struct bytes b)
{
	snprintf(out, size, "%.*s", BYTES_PRINTF(b));
}

static int
read_row(struct shelf *s, sqlite3_stmt *q, struct shelf_row *r, struct arena *a,
    struct err *e)
{
	struct bytes lock = column(q, 11);
	struct bytes about = column(q, 10);
	int state = sqlite3_column_int(q, 4);

	*r = (struct shelf_row){
		.number = sqlite3_column_int64(q, 0),
		.kept = (uint64_t)sqlite3_column_int64(q, 2),
		.bytes = (uint64_t)sqlite3_column_int64(q, 3),
		.asked = (uint64_t)sqlite3_column_int64(q, 6),
		.approved = (uint64_t)sqlite3_column_int64(q, 8),
		.about = a == NULL ? about : arena_copy(a, about),
	};
	copy_text(r->id, sizeof(r->id), column(q, 1));
	copy_text(r->asked_by, sizeof(r->asked_by), column(q, 5));
	copy_text(r->approved_by, sizeof(r->approved_by), column(q, 7));
	copy_text(r->released_as, sizeof(r->released_as), column(q, 9));
	(void)s;
	if (lock.n != sizeof(r->lock) || state < 0 || state >= SHELF_STATES)
		return err_set(e, "store: the row of %s is malformed", r->id);
	memcpy(&r->lock, lock.p, sizeof(r->lock));
	r->state = (enum shelf_state)state;
	return 0;
}

static enum shelf_found
find_one(struct shelf *s, sqlite3_stmt *q, struct shelf_row *out,
    struct arena *a, struct err *e)
{
	enum shelf_found found = step(s, q, e);

	if (found == SHELF_FOUND && read_row(s, q, out, a, e) < 0)
		found = SHELF_FAILED;
	sqlite3_reset(q);
	return found;
}

enum shelf_found
shelf_find(struct shelf *s, struct bytes id, struct shelf_row *out,
    struct arena *a, struct err *e)
{
	sqlite3_stmt *q = ready(s, FIND);

	set_text(q, 1, id);
	return find_one(s, q, out, a, e);
}

enum shelf_found
shelf_find_state(struct shelf *s, enum shelf_state state, struct shelf_row *out,
    struct arena *a, struct err *e)
{
	sqlite3_stmt *q = ready(s, FIND_STATE);

	set_number(q, 1, state);
	return find_one(s, q, out, a, e);
}

enum shelf_found
shelf_find_before(struct shelf *s, uint64_t kept, struct shelf_row *out,
    struct arena *a, struct err *e)
{
	sqlite3_stmt *q = ready(s, FIND_BEFORE);

	set_number(q, 1, kept);
	return find_one(s, q, out, a, e);
}

int
shelf_each(struct shelf *s,
    bool (*each)(void *owner, const struct shelf_row *r), void *owner,
    struct err *e)
{
	sqlite3_stmt *q = ready(s, EACH);
	enum shelf_found found;
	struct shelf_row r;

	while ((found = step(s, q, e)) == SHELF_FOUND) {
		if (read_row(s, q, &r, NULL, e) < 0)
			found = SHELF_FAILED;
		if (found == SHELF_FAILED || !each(owner, &r))
			break;
	}
	sqlite3_reset(q);
	return found == SHELF_FAILED ? -1 : 0;
}

static int
read_pieces(struct shelf *s, const struct shelf_row *r, struct vault_work *w,
    int (*take)(void *owner, struct bytes piece, struct err *e), void *owner,
    struct err *e)
{
	sqlite3_stmt *q = ready(s, PIECES);
	enum shelf_found found;

	set_number(q, 1, (uint64_t)r->number << PIECE_BITS);
	set_number(q, 2, (uint64_t)(r->number + 1) << PIECE_BITS);
	while ((found = step(s, q, e)) == SHELF_FOUND) {
		struct bytes data = column(q, 0);

		while (data.n > 0 && found == SHELF_FOUND) {
			struct bytes in = bytes_take(&data, PIECE);

			vault_pass(w, in, s->piece);
			if (take(owner, (struct bytes){ s->piece, in.n }, e) <
			    0)
				found = SHELF_FAILED;
		}
		if (found == SHELF_FAILED)
			break;
	}
	sqlite3_reset(q);
	return found == SHELF_FAILED ? -1 : 0;
}

int
shelf_read(struct shelf *s, const struct shelf_row *r,
    int (*take)(void *owner, struct bytes piece, struct err *e), void *owner,
    struct err *e)
{
	const struct vault_name name = { bytes_of(r->id), r->about };
	struct vault_work *w = vault_open(s->vault, &name, &r->lock);

	if (w == NULL)
		return err_set(
		    e, "store: %s was changed on the disk: its key", r->id);
	if (read_pieces(s, r, w, take, owner, e) < 0) {
		vault_cancel(w);
		return -1;
	}
	if (vault_open_end(w, &r->lock) < 0)
		return err_set(
		    e, "store: %s was changed on the disk: its content", r->id);
	return 0;
}

int
shelf_change(struct shelf *s, const struct shelf_row *r, struct err *e)
{
	sqlite3_stmt *q;

	if (begin_change(s, e) < 0)
		return -1;
	q = ready(s, CHANGE);
	set_number(q, 1, (uint64_t)r->number);
	set_number(q, 2, r->state);
	set_text(q, 3, bytes_of(r->asked_by));
	set_number(q, 4, r->asked);
	set_text(q, 5, bytes_of(r->approved_by));
	set_number(q, 6, r->approved);
	set_text(q, 7, bytes_of(r->released_as));
	return end_change(s, run(s, q, e), e);
}

int
shelf_delete(struct shelf *s, const struct shelf_row *r, struct err *e)
{
	sqlite3_stmt *q;
	int result;

	if (begin_change(s, e) < 0)
		return -1;
	q = ready(s, DELETE);
	set_number(q, 1, (uint64_t)r->number);
	result = run(s, q, e);
	q = ready(s, DELETE_PIECES);
	set_number(q, 1, (uint64_t)r->number << PIECE_BITS);
	set_number(q, 2, (uint64_t)(r->number + 1) << PIECE_BITS);
	if (result == 0)
		result = run(s, q, e);
	if (end_change(s, result, e) < 0)
		return -1;
	s->counts.originals--;
	s->counts.bytes -= r->bytes;
	return 0;
}

#define CONTACT_SIZE 16 /* of a hash: enough that two do not meet */
#define DAY_S ((uint64_t)24 * 3600)

static void
contact_of(
    const struct shelf *s, struct bytes who, uint8_t out[EVP_MAX_MD_SIZE])
{
	uint8_t mark[VAULT_MARK_SIZE];
	unsigned n;

	vault_mark(s->vault, mark);
	must(HMAC(EVP_sha256(), mark, sizeof(mark), who.p, who.n, out, &n) !=
	    NULL);
}

int
shelf_contact(struct shelf *s, struct bytes who, uint64_t now,
    uint64_t *last_out, struct err *e)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	const struct bytes key = { hash, CONTACT_SIZE };
	sqlite3_stmt *q = ready(s, CONTACT);
	enum shelf_found found;

	contact_of(s, who, hash);
	set_blob(q, 1, key);
	found = step(s, q, e);
	*last_out =
	    found == SHELF_FOUND ? (uint64_t)sqlite3_column_int64(q, 0) : 0;
	sqlite3_reset(q);
	if (found == SHELF_FAILED)
		return -1;
	if (*last_out != 0 && now < *last_out + DAY_S)
		return 0;
	if (begin_change(s, e) < 0)
		return -1;
	q = ready(s, SET_CONTACT);
	set_blob(q, 1, key);
	set_number(q, 2, now);
	return end_change(s, run(s, q, e), e);
}

int
shelf_forget_contacts(struct shelf *s, uint64_t before, struct err *e)
{
	sqlite3_stmt *q;

	if (begin_change(s, e) < 0)
		return -1;
	q = ready(s, FORGET_CONTACTS);
	set_number(q, 1, before);
	return end_change(s, run(s, q, e), e);
}

void
shelf_scrub(struct shelf *s)
{
	struct err e;

	if (execute(s, "PRAGMA wal_checkpoint(TRUNCATE)", &e) < 0)
		log_say(EVENT_FAILURE, "%s", e.text);
}

void
shelf_counts(const struct shelf *s, struct shelf_counts *out)
{
	*out = s->counts;
}
