/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The report to the sender of whom the mail server has refused, while it has taken
   the message for the others, or of a message that was held and couldn't be sent: a
   message in his INBOX, as he'd get one from a mail server that has refused them
   later. [RFC3464], [MS-OXCMAIL] 2.1.3.6 */

#include "lib.h"
#include "array.h"
#include "hostpid.h"
#include "ioloop.h"
#include "istream.h"
#include "message-date.h"
#include "smtp-address.h"
#include "smtp-submit-settings.h"
#include "str.h"
#include "store-compat.h"
#include "mapi-enums.h"
#include "mapi-mail.h"
#include "mapi-message-folder.h"
#include "mapi-message-private.h"
#include "mapi-props.h"
#include "mapi-report.h"
#include "mapi-store-private.h"
#include "mapi-submit-private.h"
#include "mapi-transport.h"
#include "mime-build.h"

#define REPORTER_NAME "Mail Delivery System"

/* --- what it says ----------------------------------------------------------- */

/* The name of a recipient in the message; NULL if there's none. */
static const char *
recipient_name(struct mapi_store *store, const struct mapi_content *all,
	       TALLOC_CTX *mem, const char *address)
{
	struct mime_build_params params;
	const char *other;
	unsigned int i;

	mapi_message_build_params(store, &params);
	for (i = 0; i < all->recipient_count; i++) {
		other = mime_build_recipient_address(&params, mem,
						     &all->recipients[i]);
		if (other != NULL && strcasecmp(other, address) == 0) {
			return mapi_propset_get_string(all->recipients[i].props,
						       PIDTAG_DISPLAY_NAME);
		}
	}
	return NULL;
}

static void
report_add_refusal(struct mapi_content *report, struct mapi_store *store,
		   const struct mapi_content *all, const char *server,
		   const struct mapi_refusal *refusal)
{
	const char *address = smtp_address_encode(refusal->rcpt);
	struct mapi_content_recipient *recipient;
	struct mapi_value value;

	recipient = mapi_report_add_recipient(report, address,
		recipient_name(store, all, report, address));
	value = mapi_value_i32(mime_status_code(&refusal->status));
	(void)mapi_propset_set_value(recipient->props,
		PIDTAG_NON_DELIVERY_REPORT_STATUS_CODE, &value);
	/* nobody has said anything about those that weren't tried */
	if (server == NULL || refusal->reply == NULL)
		return;
	value = mapi_value_str(server);
	(void)mapi_propset_set_value(recipient->props,
		PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT, &value);
	value = mapi_value_str(t_mime_status_info(server,
		&refusal->status, t_strconcat("smtp; ", refusal->reply, NULL)));
	(void)mapi_propset_set_value(recipient->props,
				     PIDTAG_SUPPLEMENTARY_INFO, &value);
}

static const struct mapi_refusal *
refusal_find(const struct mapi_refusals *refusals,
	     const struct smtp_address *rcpt)
{
	const struct mapi_refusal *refusal;

	if (!array_is_created(&refusals->list))
		return NULL;
	array_foreach(&refusals->list, refusal) {
		if (smtp_address_equals(refusal->rcpt, rcpt))
			return refusal;
	}
	return NULL;
}

/* If nobody has been sent the message, all of them are told of: what the server has
   said of it as a whole holds for whom it has said nothing else of. */
static void
report_get_list(const struct mapi_submission *submission, bool all,
		ARRAY_TYPE(mapi_refusal) *list)
{
	const struct mapi_refusals *refusals = &submission->refusals;
	const struct smtp_address *const *rcptp;
	const struct mapi_refusal *refusal;
	struct mapi_refusal *other;

	if (!all) {
		array_append_array(list, &refusals->list);
		return;
	}
	array_foreach(&submission->rcpts, rcptp) {
		refusal = refusal_find(refusals, *rcptp);
		if (refusal != NULL) {
			array_push_back(list, refusal);
			continue;
		}
		other = array_append_space(list);
		other->rcpt = *rcptp;
		other->reply = refusals->reply;
		if (other->reply != NULL)
			other->status = refusals->status;
		else
			other->status.class = 5;
	}
}

static const char *
t_report_text(const struct mapi_content *all, const char *subject,
	      const ARRAY_TYPE(mapi_refusal) *list, const char *reason)
{
	const struct mapi_value *submitted =
		mapi_propset_get(all->props, PIDTAG_CLIENT_SUBMIT_TIME);
	const struct mapi_refusal *refusal;
	string_t *text = t_str_new(512);

	str_append(text, "Your message\r\n\r\n");
	str_printfa(text, "    Subject: %s\r\n", subject);
	str_printfa(text, "    Sent:    %s\r\n\r\n",
		    message_date_create(submitted == NULL ? ioloop_time :
					mapi_time_to_unix(submitted->u.time)));
	str_append(text, "couldn't be delivered to these recipients. ");
	if (reason == NULL)
		str_append(text, "The others have been sent it.\r\n");
	else {
		str_printfa(text, "%s\r\nIt is in the Outbox, from where it can "
			    "be sent again.\r\n", reason);
	}
	array_foreach(list, refusal) {
		str_printfa(text, "\r\n    %s\r\n",
			    smtp_address_encode(refusal->rcpt));
		if (refusal->reply != NULL)
			str_printfa(text, "        %s\r\n", refusal->reply);
	}
	return str_c(text);
}

/* The whole message: it can be sent again from the report, [MS-OXOMSG]
   3.2.4.5. */
static void
report_add_original(struct mapi_content *report, struct mapi_content *all)
{
	struct mapi_content_attachment *attachment;
	struct mapi_value method;

	attachment = mapi_content_add_attachment(report, 0);
	method = mapi_value_i32(ATTACH_METHOD_EMBEDDED_MESSAGE);
	(void)mapi_propset_set_value(attachment->props, PIDTAG_ATTACH_METHOD,
				     &method);
	attachment->embedded = all;
}

static struct mapi_content *
report_create(const struct mapi_submission *submission,
	      struct mapi_content *all, const char *reason)
{
	struct mapi_store *store = submission->store;
	/* if it wasn't even found out who sends it */
	const char *to = submission->env_from == NULL ?
		store->set->email_address :
		smtp_address_encode(submission->env_from);
	const char *subject, *hostname = store->set->submission->hostname;
	ARRAY_TYPE(mapi_refusal) list;
	const struct mapi_refusal *refusal;
	struct mapi_content *report;

	if (*hostname == '\0')
		hostname = my_hostdomain();
	subject = mapi_propset_get_string(all->props, PIDTAG_SUBJECT);
	if (subject == NULL)
		subject = "";
	t_array_init(&list, 8);
	report_get_list(submission, reason != NULL, &list);
	report = mapi_content_create(NULL);
	mapi_report_init(report, store, "REPORT.IPM.Note.NDR",
			 "Undeliverable: ", subject, submission->message_id);
	mapi_report_set_sender(report, REPORTER_NAME,
		t_strconcat("MAILER-DAEMON@", hostname, NULL));
	mapi_content_set_str(report, PIDTAG_RECEIVED_BY_NAME, to);
	mapi_content_set_str(report, PIDTAG_RECEIVED_BY_SMTP_ADDRESS, to);
	mapi_content_set_str(report, PIDTAG_REPORTING_MESSAGE_TRANSFER_AGENT,
			     hostname);
	mapi_content_set_str(report, PIDTAG_BODY,
			     t_report_text(all, subject, &list, reason));
	array_foreach(&list, refusal) {
		report_add_refusal(report, store, all,
				   submission->refusals.server, refusal);
	}
	report_add_original(report, all);
	return report;
}

/* --- saving it -------------------------------------------------------------- */

/* A quota that is exceeded is no reason not to tell. */
static enum mapi_error
report_save_once(struct mailbox *box, struct istream *input)
{
	i_stream_seek(input, 0);
	return mapi_mail_save_single(box, input, 0, TRUE, "MAPI report");
}

static enum mapi_error
report_save(struct mapi_store *store, struct istream *input)
{
	struct mapi_message_folder *mfolder;
	struct mapi_folder *folder;
	enum mapi_error error;

	error = mapi_message_folder_get(store,
		mapi_store_special_fid(store, MAPI_SPECIAL_INBOX), &mfolder,
		&folder);
	if (error != EC_NONE)
		return error;
	error = report_save_once(folder->box, input);
	/* What a process has left that was killed while it saved, Dovecot mends
	   when the mailbox is opened again. */
	if (error == EC_ERROR) {
		error = mapi_folder_sync(folder);
		if (error == EC_NONE)
			error = report_save_once(folder->box, input);
	}
	mapi_message_folder_release(&mfolder);
	return error;
}

enum mapi_error
mapi_submission_report(const struct mapi_submission *submission,
		       struct mapi_content *all, const char *reason)
{
	struct mapi_content *report;
	struct istream *input;
	enum mapi_error error;

	report = report_create(submission, all, reason);
	error = mapi_content_build(submission->store, report, FALSE, &input);
	talloc_free(report);
	if (error == EC_NONE) {
		error = report_save(submission->store, input);
		i_stream_unref(&input);
	}
	if (error != EC_NONE) {
		e_error(submission->store->user->event,
			"mapi: msgid=%s: The report of what couldn't be sent "
			"can't be saved: %s", submission->message_id,
			mapi_error_name(error));
	}
	return error;
}
