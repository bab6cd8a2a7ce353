/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "mime-status.h"

/* [RFC3463] 2: each has up to three digits. */
#define STATUS_PART_MAX 999

/* any other detail of the subject: the last row of it */
#define ANY UINT_MAX

/* [MS-OXCMAIL] 2.2.3.7.1.3; the first row that fits */
static const struct {
	unsigned int subject, detail;
	int32_t diag, reason;
} reasons[] = {
	/* addresses */
	{ 1, 1, 35, 1 },	/* unknown recipient */
	{ 1, 2, 48, 0 },	/* unknown domain */
	{ 1, 3, 32, 0 },	/* incorrect address */
	{ 1, 4, 1, 0 },		/* ambiguous name */
	{ 1, 6, 40, 0 },	/* the recipient has moved */
	{ 1, ANY, 0, 0 },	/* unrecognized name */
	/* mailboxes */
	{ 2, 2, 13, 0 },	/* length constraint violated */
	{ 2, 3, 13, 0 },
	{ 2, 4, 30, 0 },	/* expansion failed */
	{ 2, ANY, 38, 0 },	/* refused */
	/* mail systems */
	{ 3, 2, -1, 0 },
	{ 3, 3, 18, 0 },	/* critical function unsupported */
	{ 3, 4, 13, 0 },
	{ 3, 5, 18, 0 },
	{ 3, ANY, 38, 0 },
	/* network and routing */
	{ 4, 0, -1, 0 },
	{ 4, 3, -1, 6 },	/* the directory failed */
	{ 4, 4, -1, 0 },
	{ 4, 6, 3, 0 },		/* loop */
	{ 4, 7, 5, 0 },		/* time expired */
	{ 4, 8, 3, 0 },
	{ 4, ANY, 2, 0 },	/* congested */
	/* protocol */
	{ 5, 3, 16, 0 },	/* too many recipients */
	{ 5, 4, 11, 0 },	/* invalid parameters */
	{ 5, ANY, 17, 0 },	/* no agreement */
	/* content */
	{ 6, 2, 9, 0 },		/* conversion prohibited */
	{ 6, 3, 8, 0 },		/* conversion impractical */
	{ 6, 4, 25, 0 },	/* conversion loses something */
	{ 6, 5, -1, 2 },	/* conversion not performed */
	{ 6, ANY, 15, 0 },	/* unsupported type */
	/* security and policy */
	{ 7, 1, 29, 0 },	/* submission prohibited */
	{ 7, 2, 28, 0 },	/* expansion prohibited */
	{ 7, 3, 26, 0 },	/* reassignment prohibited */
	{ 7, ANY, 46, 0 },	/* secure messaging */
};

bool mime_status_parse(const char *str, struct mime_status *status_r)
{
	const char *const *parts = t_strsplit(str, ".");

	return str_array_length(parts) == 3 &&
		str_to_uint(parts[0], &status_r->class) == 0 &&
		str_to_uint(parts[1], &status_r->subject) == 0 &&
		str_to_uint(parts[2], &status_r->detail) == 0 &&
		status_r->class > 0 && status_r->class <= 9 &&
		status_r->subject <= STATUS_PART_MAX &&
		status_r->detail <= STATUS_PART_MAX;
}

const char *t_mime_status(const struct mime_status *status)
{
	return t_strdup_printf("%u.%u.%u", status->class, status->subject,
			       status->detail);
}

static unsigned int one_digit(unsigned int part)
{
	return part > 9 ? 0 : part;
}

int32_t mime_status_code(const struct mime_status *status)
{
	return status->class * 100 + one_digit(status->subject) * 10 +
		one_digit(status->detail);
}

void mime_status_get_reason(const struct mime_status *status, int32_t *diag_r,
			    int32_t *reason_r)
{
	unsigned int i;

	*diag_r = -1;
	*reason_r = 0;
	for (i = 0; i < N_ELEMENTS(reasons); i++) {
		if (reasons[i].subject == one_digit(status->subject) &&
		    (reasons[i].detail == ANY ||
		     reasons[i].detail == one_digit(status->detail))) {
			*diag_r = reasons[i].diag;
			*reason_r = reasons[i].reason;
			break;
		}
	}
}

const char *
t_mime_status_info(const char *remote_mta, const struct mime_status *status,
		   const char *diagnostic)
{
	return t_strdup_printf("<%s #%s%s%s>",
		remote_mta == NULL ? "" : remote_mta, t_mime_status(status),
		diagnostic == NULL ? "" : " ",
		diagnostic == NULL ? "" : diagnostic);
}

bool mime_status_info_parse(const char *info, struct mime_status *status_r,
			    const char **diagnostic_r)
{
	const char *status, *end;
	size_t len = strlen(info);

	if (len == 0 || *info != '<' || info[len - 1] != '>')
		return FALSE;
	status = strstr(info, " #");
	if (status == NULL)
		return FALSE;
	status += 2;
	end = status + strcspn(status, " >");
	if (!mime_status_parse(t_strdup_until(status, end), status_r))
		return FALSE;
	*diagnostic_r = *end != ' ' ? NULL :
		t_strdup_until(end + 1, info + len - 1);
	return TRUE;
}
