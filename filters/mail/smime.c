/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mail/smime.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "filters/html/words.h"

bool
mail_is_smime(struct bytes declared)
{
	return words_have(
	    " application/pkcs7-mime application/x-pkcs7-mime ", declared);
}

static struct mail_node *
take_signed(struct mail *m, CMS_ContentInfo *cms, const char *name)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	struct bytes raw;
	struct mail_head head;

	if (content == NULL || *content == NULL)
		return mail_leave_out(m, REMOVED_SIGNATURE, REFUSED_BROKEN,
		    name, (struct bytes){ 0 });
	raw = (struct bytes){ ASN1_STRING_get0_data(*content),
		(size_t)ASN1_STRING_length(*content) };
	if (detox_unpacked(m->d, raw.n, 0) == DETOX_REFUSED ||
	    mail_head_take(m->d, &raw, &head) == DETOX_REFUSED)
		return NULL;
	detox_removed(m->d, REMOVED_SIGNATURE, name, (struct bytes){ 0 });
	return mail_take_entity(m, &head, raw, false);
}

struct mail_node *
mail_take_smime(struct mail *m, struct bytes content, const char *name)
{
	const unsigned char *p = content.p;
	CMS_ContentInfo *cms = content.n > INT32_MAX
	    ? NULL
	    : d2i_CMS_ContentInfo(NULL, &p, (long)content.n);
	struct mail_node *n = NULL;

	ERR_clear_error();
	if (cms == NULL)
		return mail_leave_out(
		    m, REMOVED_REFUSED, REFUSED_BROKEN, name, content);
	switch (OBJ_obj2nid(CMS_get0_type(cms))) {
	case NID_pkcs7_signed:
		n = take_signed(m, cms, name);
		break;
	case NID_pkcs7_enveloped:
	case NID_id_smime_ct_authEnvelopedData:
	case NID_pkcs7_encrypted:
		(void)detox_refuse(
		    m->d, REFUSED_ENCRYPTED, "an encrypted mail");
		break;
	default:
		n = mail_leave_out(
		    m, REMOVED_REFUSED, REFUSED_TYPE, name, content);
		break;
	}
	CMS_ContentInfo_free(cms);
	return n;
}
