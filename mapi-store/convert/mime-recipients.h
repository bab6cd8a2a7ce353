/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_RECIPIENTS_H
#define MIME_RECIPIENTS_H

/* Recipients of a message from its To, Cc and Bcc fields. [MS-OXCMAIL] 2.2.1.4 */

#include "mapi-recipient.h"
#include "mime-headers.h"
#include "mime-status.h"

/* More than so many of a message aren't looked at. */
#define MIME_MAX_RECIPIENTS 10000

struct mime_recipient {
	enum mapi_recipient_type type;	/* MAPI_TO, MAPI_CC, MAPI_BCC */
	/* UTF-8, never NULL or empty: the address where there's no name */
	const char *name;
	/* local@domain, or whatever stood there if that wasn't an address;
	   never NULL, may be empty */
	const char *address;
	/* What a delivery report says of the recipient; NULL elsewhere */
	const struct mime_recipient_report *report;
};

/* [MS-OXCMAIL] 2.2.3.7.1. Strings are NULL where there are none. */
struct mime_recipient_report {
	/* Status; all 0 if there's none */
	struct mime_status status;
	const char *remote_mta;
	/* what the remote server said, mime-status.h */
	const char *supplementary_info;
};

/* In the order To, Cc, Bcc. Members of groups are listed, the groups' names
   are not. Everything is on mem. Returns false if the source failed. */
bool mime_recipients_get(struct mime_header_source *source, TALLOC_CTX *mem,
			 const struct mime_recipient **recipients_r,
			 unsigned int *count_r);

/* Properties of a recipient, [MS-OXCMSG] 2.2.3.1, [MS-OXOABK] 2.2.3:
   PidTagRecipientType, PidTagDisplayName, PidTagRecipientDisplayName,
   PidTagTransmittableDisplayName, PidTagAddressType ("SMTP"),
   PidTagEmailAddress, PidTagSmtpAddress, PidTagEntryId, PidTagRecipientEntryId,
   PidTagRecordKey, PidTagSearchKey, PidTagObjectType, PidTagDisplayType,
   PidTagSendInternetEncoding, PidTagRecipientFlags,
   PidTagRecipientTrackStatus, PidTagResponsibility, PidTagSendRichInfo,
   PidTagSendInternetEncoding; of delivery reports
   PidTagNonDeliveryReportStatusCode/DiagCode/ReasonCode,
   PidTagRemoteMessageTransferAgent, PidTagSupplementaryInfo. Not: PidTagRowid,
   which the caller numbers. */
enum mime_prop_result
mime_recipient_get_prop(const struct mime_recipient *recipient,
			TALLOC_CTX *mem, uint32_t tag,
			struct mapi_value *value_r);

/* As the RecipientRow of wire responses: type SMTP, Unicode. code_page_id is
   65001; row_id and properties are left to the caller. Strings aren't
   copied. */
void mime_recipient_to_row(const struct mime_recipient *recipient,
			   struct mapi_recipient_row *row_r);

#endif
