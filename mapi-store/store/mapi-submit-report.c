/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The report to the sender of whom the mail server has refused, while it has taken
   the message for the others: a message in his INBOX, as he'd get one from a mail
   server that has refused them later. [RFC3464], [MS-OXCMAIL] 2.1.3.6 */

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
		   const struct mapi_content *all,
		   const struct mapi_refusals *refusals,
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
	value = mapi_value_str(refusals->server);
	(void)mapi_propset_set_value(recipient->props,
		PIDTAG_REMOTE_MESSAGE_TRANSFER_AGENT, &value);
	value = mapi_value_str(t_mime_status_info(refusals->server,
		&refusal->status, t_strconcat("smtp; ", refusal->reply, NULL)));
	(void)mapi_propset_set_value(recipient->props,
				     PIDTAG_SUPPLEMENTARY_INFO, &value);
}

static const char *
t_report_text(const char *subject, const struct mapi_refusals *refusals)
{
	const struct mapi_refusal *refusal;
	string_t *text = t_str_new(512);

	str_append(text, "Your message\r\n\r\n");
	str_printfa(text, "    Subject: %s\r\n", subject);
	str_printfa(text, "    Sent:    %s\r\n\r\n",
		    message_date_create(ioloop_time));
	str_append(text, "couldn't be delivered to these recipients. The "
		   "others have been sent it.\r\n");
	array_foreach(&refusals->list, refusal) {
		str_printfa(text, "\r\n    %s\r\n        %s\r\n",
			    smtp_address_encode(refusal->rcpt),
			    refusal->reply);
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
	      struct mapi_content *all, const struct mapi_refusals *refusals)
{
	struct mapi_store *store = submission->store;
	const char *subject, *to = smtp_address_encode(submission->env_from);
	const char *hostname = store->set->submission->hostname;
	const struct mapi_refusal *refusal;
	struct mapi_content *report;

	if (*hostname == '\0')
		hostname = my_hostdomain();
	subject = mapi_propset_get_string(all->props, PIDTAG_SUBJECT);
	if (subject == NULL)
		subject = "";
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
			     t_report_text(subject, refusals));
	array_foreach(&refusals->list, refusal)
		report_add_refusal(report, store, all, refusals, refusal);
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
		       struct mapi_content *all,
		       const struct mapi_refusals *refusals)
{
	struct mapi_content *report;
	struct istream *input;
	enum mapi_error error;

	report = report_create(submission, all, refusals);
	error = mapi_content_build(submission->store, report, FALSE, &input);
	talloc_free(report);
	if (error == EC_NONE) {
		error = report_save(submission->store, input);
		i_stream_unref(&input);
	}
	if (error != EC_NONE) {
		e_error(submission->store->user->event,
			"mapi: msgid=%s: The report of refused recipients "
			"can't be saved: %s", submission->message_id,
			mapi_error_name(error));
	}
	return error;
}
