/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_REPORT_H
#define MIME_REPORT_H

/* Delivery status ([RFC3464]) and disposition notifications ([RFC8098]).
   [MS-OXCMAIL] 2.2.3.7. Private to this folder. */

#include "mime-recipients.h"
#include "mime-structure.h"

struct mime_report {
	/* PidTagMessageClass: REPORT.IPM.Note.* */
	const char *class;
	/* NULL where there's none */
	const char *reporting_mta;
	const char *original_message_id;
	/* Disposition: "displayed", and how it came to it */
	const char *disposition, *disposition_mode;
	/* Delivery reports: those recipients whose Action is the worst */
	struct mime_recipient *recipients;
	unsigned int recipient_count;
	/* header of the message that is reported on, or NULL */
	struct mime_header_source *original;
};

/* structure is a report's. NULL if message fails. */
struct mime_report *
mime_report_init(TALLOC_CTX *parent, const struct mime_structure *structure,
		 struct istream *message);

/* Properties that reports have besides those of their header */
enum mime_prop_result
mime_report_get_prop(const struct mime_report *report, TALLOC_CTX *mem,
		     uint32_t tag, struct mapi_value *value_r);
bool mime_report_prop_at(unsigned int i, uint32_t *tag_r);

#endif
