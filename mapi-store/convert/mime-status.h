/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_STATUS_H
#define MIME_STATUS_H

/* What became of a message for a recipient, as delivery reports have it: the Status
   field ([RFC3463]) and the properties that stand for it. [MS-OXCMAIL]
   2.2.3.7.1.2, 2.2.3.7.1.3 */

/* class.subject.detail, 5.7.26 */
struct mime_status {
	unsigned int class, subject, detail;
};

/* FALSE if str, up to its end, isn't a status. */
bool mime_status_parse(const char *str, struct mime_status *status_r);
/* On the data stack */
const char *t_mime_status(const struct mime_status *status);

/* PidTagNonDeliveryReportStatusCode: 511 for 5.1.1. It has one digit for each number;
   a subject and a detail that have more are 0 in it, 5.7.26 is 570. */
int32_t mime_status_code(const struct mime_status *status);
/* PidTagNonDeliveryReportDiagCode, -1 if there's none, and
   PidTagNonDeliveryReportReasonCode */
void mime_status_get_reason(const struct mime_status *status, int32_t *diag_r,
			    int32_t *reason_r);

/* PidTagSupplementaryInfo, which is the only one that has all digits:
   "<mx.example.com #5.7.26 smtp; 550 5.7.26 No>". remote_mta and diagnostic (the
   Diagnostic-Code field) may be NULL. On the data stack */
const char *
t_mime_status_info(const char *remote_mta, const struct mime_status *status,
		   const char *diagnostic);
/* The other way round: FALSE if info says nothing of that kind. *diagnostic_r is on
   the data stack, NULL if there's none. */
bool mime_status_info_parse(const char *info, struct mime_status *status_r,
			    const char **diagnostic_r);

#endif
