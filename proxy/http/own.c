/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/own.h"

#include <openssl/pem.h>

#include "proxy/http/handover.h"
#include "proxy/http/unlock.h"

#define OWN_MAX 65536

static int
write_pac(struct exchange *x, struct buf *out)
{
	return answer_pac(
	    &x->edge->settings->prefecture, x->segment->body, out);
}

static int
write_ca(struct exchange *x, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long n;
	int result = -1;

	must(bio != NULL);
	if (PEM_write_bio_X509(bio, x->edge->ca) == 1) {
		n = BIO_get_mem_data(bio, &pem);
		result = buf_append(
		    out, (struct bytes){ (uint8_t *)pem, (size_t)n });
	}
	BIO_free(bio);
	return result;
}

static int
write_page(struct exchange *x, struct buf *out)
{
	const struct field *f =
	    message_field(&x->request, FIELD_ACCEPT_LANGUAGE);

	return answer_ca_page(&x->edge->settings->prefecture,
	    f == NULL ? (struct bytes){ 0 } : f->value, out);
}

static const struct {
	struct bytes path;
	const char *type;
	int (*write)(struct exchange *x, struct buf *out);
} pages[] = {
	{ BYTES_ROW("/proxy.pac"), "application/x-ns-proxy-autoconfig",
	    write_pac },
	{ BYTES_ROW("/ca.crt"), "application/x-x509-ca-cert", write_ca },
	{ BYTES_ROW("/"), "text/html; charset=utf-8", write_page },
};

enum stage_answer
own_answer(struct exchange *x, struct bytes target)
{
	struct bytes path = bytes_take_until(&target, '?');
	struct buf out;

	if (unlock_is_asked_for(path))
		return unlock_page(x, path);
	if (handover_is_asked_for(x, path))
		return handover_page(x, path, target);
	if (!bytes_equal(x->request.method, BYTES("GET")) &&
	    !bytes_equal(x->request.method, BYTES("HEAD")))
		return exchange_refuse(x, ANSWER_BAD_REQUEST,
		    "only GET and HEAD are for the proxy itself");
	for (size_t i = 0; i < COUNT(pages); i++) {
		if (!bytes_equal(path, pages[i].path))
			continue;
		buf_init(&out, OWN_MAX);
		must(pages[i].write(x, &out) == 0);
		exchange_answer(x, 200, pages[i].type, NULL,
		    arena_copy(&x->arena, buf_bytes(&out)));
		buf_release(&out);
		return STAGE_REFUSE;
	}
	return exchange_refuse(x, ANSWER_BAD_REQUEST,
	    "the target names no destination: this is a proxy");
}
