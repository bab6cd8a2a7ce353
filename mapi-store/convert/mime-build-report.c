/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Delivery and disposition notifications. [MS-OXCMAIL] 2.1.3.6, [RFC3464],
   [RFC8098] */

#include "lib.h"
#include "str.h"
#include "mime-build-private.h"
#include "mime-status.h"

#define CLASS_PREFIX "REPORT."
/* a field that is in one line stays in one: readers of reports unfold badly */
#define MAX_LINE_LEN 990

struct report_class {
	/* of PidTagMessageClass */
	const char *end;
	/* of a delivery report; NULL for a disposition notification */
	const char *action;
	/* the first number of its Status */
	unsigned int status_class;
	/* of a disposition notification: what there is to say if no property
	   does */
	const char *disposition;
};

/* 2.1.3.6.1.1, 2.1.3.6.2.1. Longer ends first */
static const struct report_class classes[] = {
	{ ".Delayed.DR", "delayed", 4, NULL },
	{ ".Relayed.DR", "relayed", 2, NULL },
	{ ".Expanded.DR", "expanded", 2, NULL },
	{ ".NDR", "failed", 5, NULL },
	{ ".DR", "delivered", 2, NULL },
	{ ".IPNRN", NULL, 0, "displayed" },
	{ ".IPNNRN", NULL, 0, "deleted" },
};

static const struct report_class *class_find(const struct mapi_content *content)
{
	const char *class;
	size_t len, end_len;
	unsigned int i;

	class = mapi_propset_get_string(content->props, PIDTAG_MESSAGE_CLASS);
	if (class == NULL ||
	    strncasecmp(class, CLASS_PREFIX, strlen(CLASS_PREFIX)) != 0)
		return NULL;
	len = strlen(class);
	for (i = 0; i < N_ELEMENTS(classes); i++) {
		end_len = strlen(classes[i].end);
		if (len > end_len &&
		    strcasecmp(class + len - end_len, classes[i].end) == 0)
			return &classes[i];
	}
	return NULL;
}

bool mime_build_class_is_delivery_report(const struct mapi_content *content)
{
	const struct report_class *class = class_find(content);

	return class != NULL && class->action != NULL;
}

/* --- fields ----------------------------------------------------------------- */

static void add_line(string_t *dest, const char *name, const char *value)
{
	string_t *field = t_str_new(128);
	const char *p;

	mime_build_add_text(field, name, value);
	if (str_len(field) > MAX_LINE_LEN) {
		str_append_str(dest, field);
		return;
	}
	for (p = str_c(field); *p != '\0'; p++) {
		if (*p != '\r' && *p != '\n')
			str_append_c(dest, *p);
	}
	if (str_len(field) > 0)
		str_append(dest, "\r\n");
}

static void add_typed(string_t *dest, const char *name, const char *type,
		      const char *value)
{
	value = t_mime_build_clean(value);
	if (*value != '\0')
		add_line(dest, name, t_strdup_printf("%s; %s", type, value));
}

static bool status_is_valid(const struct mime_status *status)
{
	return status->class >= 2 && status->class <= 5;
}

/* 2.1.3.6.1.2 makes the status of the diagnostic and the reason code, which are fewer
   than there are statuses; the status code is what they were made of. And where it
   has lost digits, the supplementary information still has them. */
static void
get_status(const struct mapi_propset *props, const struct report_class *class,
	   const char *info, struct mime_status *status_r,
	   const char **diagnostic_r)
{
	const struct mapi_value *value;
	struct mime_status exact;
	int32_t code;

	value = mapi_propset_get(props, PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE);
	code = value == NULL ? 0 : value->u.i32;
	status_r->class = code / 100;
	status_r->subject = code / 10 % 10;
	status_r->detail = code % 10;
	if (!status_is_valid(status_r)) {
		i_zero(status_r);
		status_r->class = class->status_class;
	}
	*diagnostic_r = NULL;
	if (info != NULL &&
	    mime_status_info_parse(info, &exact, diagnostic_r) &&
	    status_is_valid(&exact) &&
	    (value == NULL || code == mime_status_code(&exact)))
		*status_r = exact;
	/* what it has been made of, and other programs know */
	if (*diagnostic_r != NULL &&
	    strncasecmp(*diagnostic_r, "smtp;", 5) != 0)
		*diagnostic_r = NULL;
}

static void
add_status(const struct mapi_propset *props, const struct report_class *class,
	   string_t *dest)
{
	const char *mta, *info, *diagnostic;
	struct mime_status status;

	info = mapi_propset_get_string(props, PIDTAG_SUPPLEMENTARY_INFO);
	mta = mapi_propset_get_string(props,
				      PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT);
	get_status(props, class, info, &status, &diagnostic);
	add_line(dest, "Status", t_mime_status(&status));
	add_typed(dest, "Remote-MTA", "dns", mta);
	add_line(dest, "Diagnostic-Code", diagnostic);
	/* unless it says nothing else */
	if (info != NULL &&
	    strcmp(info, t_mime_status_info(mta, &status, diagnostic)) != 0)
		add_line(dest, "X-Supplementary-Info", info);
}

/* 2.1.3.6.1 */
static void
add_delivery_status(struct mime_build *ctx, const struct mapi_content *content,
		    const struct report_class *class, string_t *dest)
{
	struct mime_address address;
	const char *mta;
	unsigned int i;

	mta = mapi_propset_get_string(content->props,
		PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT);
	add_typed(dest, "Reporting-MTA", "dns", mta == NULL ||
		  *t_mime_build_clean(mta) == '\0' ? "localhost" : mta);
	for (i = 0; i < content->recipient_count; i++) {
		if (!t_mime_build_recipient(ctx, &content->recipients[i],
					    &address) ||
		    *address.address == '\0')
			continue;
		str_append(dest, "\r\n");
		add_typed(dest, "Final-Recipient", "rfc822", address.address);
		add_line(dest, "Action", class->action);
		add_status(content->recipients[i].props, class, dest);
		if (strcmp(address.name, address.address) != 0)
			add_line(dest, "X-Display-Name", address.name);
	}
}

/* 2.1.3.6.2 */
static void
add_disposition(struct mime_build *ctx, const struct mapi_content *content,
		const struct report_class *class, string_t *dest)
{
	const struct mapi_propset *props = content->props;
	struct mime_address address;
	const char *mode;

	add_line(dest, "Reporting-UA", mapi_propset_get_string(props,
		PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT));
	if (!t_mime_build_address(ctx, props, &mime_build_sender_tags,
				  &address) &&
	    !t_mime_build_address(ctx, props, &mime_build_representing_tags,
				  &address))
		address.address = address.name = "";
	add_typed(dest, "Final-Recipient", "rfc822", address.address);
	add_line(dest, "Original-Message-ID", mapi_propset_get_string(props,
		PIDTAG_ORIGINAL_MESSAGE_ID));
	mode = t_mime_build_clean(mapi_propset_get_string(props,
		PIDTAG_REPORT_DISPOSITION_MODE));
	if (*mode == '\0' || strpbrk(mode, ";: ") != NULL)
		mode = "manual-action/MDN-sent-manually";
	add_line(dest, "Disposition",
		 t_strdup_printf("%s; %s", mode, class->disposition));
}

/* --- the report ------------------------------------------------------------- */

static int
send_fields(struct mime_build *ctx, const struct mapi_content *content,
	    const struct report_class *class, string_t *header)
{
	int ret;

	str_printfa(header, "Content-Type: message/%s\r\n",
		    class->action != NULL ? "delivery-status" :
		    "disposition-notification");
	str_append(header, "\r\n");
	if (class->action != NULL)
		add_delivery_status(ctx, content, class, header);
	else
		add_disposition(ctx, content, class, header);
	ret = mime_build_send(ctx, str_data(header), str_len(header));
	str_truncate(header, 0);
	return ret;
}

static int
send_bodies(struct mime_build *ctx, const struct mapi_content *content,
	    string_t *header)
{
	struct mime_build_bodies bodies;
	int ret;

	ret = mime_build_bodies_init(ctx, content, &bodies);
	if (ret == 0)
		ret = mime_build_send_bodies(ctx, &bodies, header);
	mime_build_bodies_deinit(&bodies);
	return ret;
}

int mime_build_send_report(struct mime_build *ctx,
			   const struct mapi_content *content,
			   string_t *header)
{
	const struct report_class *class = class_find(content);
	const char *boundary;
	unsigned int i;

	if (class == NULL)
		return 0;
	if (mime_build_multipart_begin(ctx, header, "report",
			class->action != NULL ? "report-type=delivery-status" :
			"report-type=disposition-notification", &boundary) < 0 ||
	    mime_build_multipart_next(ctx, boundary, TRUE) < 0 ||
	    send_bodies(ctx, content, header) < 0 ||
	    mime_build_multipart_next(ctx, boundary, FALSE) < 0 ||
	    send_fields(ctx, content, class, header) < 0)
		return -1;
	for (i = 0; i < content->attachment_count; i++) {
		if (!mime_build_attachment_is_wanted(ctx,
				&content->attachments[i]))
			continue;
		if (mime_build_multipart_next(ctx, boundary, FALSE) < 0 ||
		    mime_build_send_attachment(ctx, &content->attachments[i],
					       NULL, FALSE, header) < 0)
			return -1;
	}
	return mime_build_multipart_end(ctx, boundary) < 0 ? -1 : 1;
}
