/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Internet addresses of people. [MS-OXCMAIL] 2.1.3.1.1, 2.1.3.1.8 */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-entryid.h"
#include "mapi-recipient.h"
#include "mapi-wire.h"
#include "mime-build-private.h"
#include "mime-recipients.h"

#include <ctype.h>

/* Where nobody says whose domain it is: [RFC2606] */
#define FALLBACK_DOMAIN "imcea.invalid"

#define ADDRESS_TAGS(prefix) { \
	.name = PIDTAG_##prefix##_NAME, \
	.type = PIDTAG_##prefix##_ADDRESS_TYPE, \
	.email = PIDTAG_##prefix##_EMAIL_ADDRESS, \
	.smtp = PIDTAG_##prefix##_SMTP_ADDRESS, \
	.entry_id = PIDTAG_##prefix##_ENTRY_ID, \
}

const struct mime_build_address_tags mime_build_sender_tags =
	ADDRESS_TAGS(SENDER);
const struct mime_build_address_tags mime_build_representing_tags =
	ADDRESS_TAGS(SENT_REPRESENTING);
const struct mime_build_address_tags mime_build_read_receipt_tags =
	ADDRESS_TAGS(READ_RECEIPT);
const struct mime_build_address_tags mime_build_report_tags = {
	.name = PIDTAG_REPORT_NAME,
	.entry_id = PIDTAG_REPORT_ENTRY_ID,
};
const struct mime_build_address_tags mime_build_received_by_tags =
	ADDRESS_TAGS(RECEIVED_BY);

static const struct mime_build_address_tags recipient_tags = {
	.name = PIDTAG_DISPLAY_NAME,
	.type = PIDTAG_ADDRESS_TYPE,
	.email = PIDTAG_EMAIL_ADDRESS,
	.smtp = PIDTAG_SMTP_ADDRESS,
	.entry_id = PIDTAG_ENTRY_ID,
};

/* NULL if it isn't there or empty */
static const char *
get_string(const struct mapi_propset *props, uint32_t tag)
{
	const char *str = mapi_propset_get_string(props, tag);

	return str == NULL || *str == '\0' ? NULL : str;
}

static const char *
t_ask(struct mime_build *ctx, const char *type, const char *address)
{
	TALLOC_CTX *tmp;
	const char *smtp;

	if (ctx->params->smtp_address == NULL)
		return NULL;
	tmp = talloc_new(NULL);
	smtp = ctx->params->smtp_address(ctx->params->context, tmp, type,
					 address);
	smtp = smtp == NULL || *smtp == '\0' ? NULL : t_strdup(smtp);
	talloc_free(tmp);
	return smtp;
}

/* [MS-OXCMAIL] 2.1.3.1.8 */
static const char *
t_encapsulate(struct mime_build *ctx, const char *type, const char *address)
{
	string_t *str = t_str_new(128);

	str_append(str, "IMCEA");
	for (; *type != '\0'; type++) {
		if (i_isalnum(*type))
			str_append_c(str, i_toupper(*type));
	}
	str_append_c(str, '-');
	for (; *address != '\0'; address++) {
		if (*address == '/')
			str_append_c(str, '_');
		else if (i_isalnum(*address) || *address == '-' ||
			 *address == '=')
			str_append_c(str, *address);
		else
			str_printfa(str, "+%02X", (unsigned char)*address);
	}
	str_append_c(str, '@');
	str_append(str, ctx->domain == NULL ? FALLBACK_DOMAIN : ctx->domain);
	return str_c(str);
}

/* The internet address of somebody with an address of any type; NULL if that
   isn't a whole address. On the data stack. */
static const char *
t_internet_address(struct mime_build *ctx, const char *type,
		   const char *address)
{
	const char *smtp;

	if (address == NULL)
		return NULL;
	if (type == NULL || strcasecmp(type, "SMTP") == 0 ||
	    strcasecmp(type, "MSNINET") == 0)
		return address;
	if (strcasecmp(type, "NONE") == 0 || strcmp(type, "0") == 0) {
		/* what clients could not resolve */
		return strchr(address, '@') == NULL ? NULL : address;
	}
	smtp = t_ask(ctx, type, address);
	return smtp != NULL || ctx->no_encapsulation ? smtp :
		t_encapsulate(ctx, type, address);
}

/* What an entry id says. name_r is left alone if it says none. */
static const char *
t_entry_id_address(struct mime_build *ctx, const struct mapi_binary *bin,
		   const char **name_r)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct mapi_entry_id eid;
	const char *address = NULL;

	switch (mapi_entry_id_parse(tmp, bin->data, bin->len, &eid)) {
	case MAPI_ENTRY_ID_ONE_OFF:
		if (eid.u.one_off.display_name[0] != '\0')
			*name_r = t_strdup(eid.u.one_off.display_name);
		if (eid.u.one_off.email_address[0] != '\0') {
			address = t_internet_address(ctx,
				t_strdup(eid.u.one_off.address_type),
				t_strdup(eid.u.one_off.email_address));
		}
		break;
	case MAPI_ENTRY_ID_ADDRESSBOOK:
		if (eid.u.addressbook.dn[0] != '\0') {
			address = t_internet_address(ctx, "EX",
				t_strdup(eid.u.addressbook.dn));
		}
		break;
	default:
		break;
	}
	talloc_free(tmp);
	return address;
}

bool t_mime_build_address(struct mime_build *ctx,
			  const struct mapi_propset *props,
			  const struct mime_build_address_tags *tags,
			  struct mime_address *address_r)
{
	const struct mapi_value *entry_id;
	const char *name, *address, *eid_name = NULL;

	name = get_string(props, tags->name);
	address = get_string(props, tags->smtp);
	if (address == NULL || strchr(address, '@') == NULL) {
		address = t_internet_address(ctx, get_string(props, tags->type),
					     get_string(props, tags->email));
	}
	entry_id = mapi_propset_get(props, tags->entry_id);
	if (address == NULL && entry_id != NULL) {
		address = t_entry_id_address(ctx, &entry_id->u.bin, &eid_name);
		if (name == NULL)
			name = eid_name;
	}
	address_r->name = name != NULL ? name : (address != NULL ? address : "");
	address_r->address = address != NULL ? address : "";
	return name != NULL || address != NULL;
}

bool t_mime_build_recipient(struct mime_build *ctx,
			    const struct mapi_content_recipient *recipient,
			    struct mime_address *address_r)
{
	struct mime_build_address_tags tags = recipient_tags;

	if (get_string(recipient->props, tags.name) == NULL) {
		tags.name = get_string(recipient->props,
				       PIDTAG_RECIPIENT_DISPLAY_NAME) != NULL ?
			PIDTAG_RECIPIENT_DISPLAY_NAME :
			PIDTAG_TRANSMITTABLE_DISPLAY_NAME;
	}
	if (mapi_propset_get(recipient->props, tags.entry_id) == NULL)
		tags.entry_id = PIDTAG_RECIPIENT_ENTRY_ID;
	return t_mime_build_address(ctx, recipient->props, &tags, address_r);
}

void t_mime_build_recipients(struct mime_build *ctx,
			     const struct mapi_content *content, int type,
			     ARRAY_TYPE(mime_address) *dest)
{
	const struct mapi_value *value;
	struct mime_address address;
	unsigned int i;
	int recipient_type;

	for (i = 0; i < content->recipient_count; i++) {
		value = mapi_propset_get(content->recipients[i].props,
					 PIDTAG_RECIPIENT_TYPE);
		recipient_type = value == NULL ? (int)MAPI_TO :
			(value->u.i32 & MAPI_RECIPIENT_TYPE_MASK);
		if (recipient_type == type &&
		    t_mime_build_recipient(ctx, &content->recipients[i],
					   &address))
			array_push_back(dest, &address);
	}
}

/* A FlatEntryList, [MS-OXCDATA] 2.3.3; names are separated by semicolons.
   [MS-OXCMAIL] 2.1.3.1.7 */
void t_mime_build_reply_to(struct mime_build *ctx,
			   const struct mapi_propset *props,
			   ARRAY_TYPE(mime_address) *dest)
{
	const struct mapi_value *value;
	struct mime_address address;
	const char *names_str, *const *names;
	struct mapi_pull pull;
	struct mapi_binary bin;
	TALLOC_CTX *tmp;
	uint32_t i, count;

	value = mapi_propset_get(props, PIDTAG_REPLY_RECIPIENT_ENTRIES);
	if (value == NULL)
		return;
	names_str = get_string(props, PIDTAG_REPLY_RECIPIENT_NAMES);
	names = t_strsplit(names_str == NULL ? "" : names_str, ";");

	tmp = talloc_new(NULL);
	mapi_pull_init(&pull, tmp, value->u.bin.data, value->u.bin.len);
	count = mapi_pull_u32(&pull);
	(void)mapi_pull_u32(&pull);
	for (i = 0; i < count && i < MIME_MAX_RECIPIENTS; i++) {
		bin.len = mapi_pull_u32(&pull);
		bin.data = mapi_pull_bytes(&pull, bin.len);
		if (!mapi_pull_ok(&pull))
			break;
		(void)mapi_pull_bytes(&pull, (4 - bin.len % 4) % 4);
		address.name = NULL;
		address.address = t_entry_id_address(ctx, &bin, &address.name);
		if (address.name == NULL && *names != NULL && **names != '\0')
			address.name = t_str_trim(*names, " ");
		if (*names != NULL)
			names++;
		if (address.address == NULL)
			continue;
		if (address.name == NULL)
			address.name = address.address;
		array_push_back(dest, &address);
	}
	talloc_free(tmp);
}

/* --- envelope --------------------------------------------------------------- */

static const char *
envelope_address(TALLOC_CTX *mem, const struct mime_address *address)
{
	return *address->address == '\0' ? NULL :
		talloc_strdup(mem, address->address);
}

const char *
mime_build_recipient_address(const struct mime_build_params *params,
			     TALLOC_CTX *mem,
			     const struct mapi_content_recipient *recipient)
{
	struct mime_build ctx = { .params = params, .no_encapsulation = TRUE };
	struct mime_address address;
	const char *result = NULL;

	T_BEGIN {
		if (t_mime_build_recipient(&ctx, recipient, &address))
			result = envelope_address(mem, &address);
	} T_END;
	return result;
}

bool mime_build_from_address(const struct mime_build_params *params,
			     TALLOC_CTX *mem, const struct mapi_propset *props,
			     const char **address_r)
{
	const struct mime_build_address_tags *tags =
		&mime_build_representing_tags;
	struct mime_build ctx = { .params = params, .no_encapsulation = TRUE };
	const struct mapi_value *entry_id;
	struct mime_address address;

	*address_r = NULL;
	T_BEGIN {
		if (t_mime_build_address(&ctx, props, tags, &address))
			*address_r = envelope_address(mem, &address);
	} T_END;
	entry_id = mapi_propset_get(props, tags->entry_id);
	return *address_r != NULL || get_string(props, tags->smtp) != NULL ||
		get_string(props, tags->email) != NULL ||
		(entry_id != NULL && entry_id->u.bin.len > 0);
}
