/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "message-part.h"
#include "mime-class.h"
#include "mime-part-info.h"

static bool has_p7m_name(const struct message_part *part)
{
	bool ret;

	T_BEGIN {
		const char *name = t_mime_part_filename(part);

		ret = name != NULL && strcasecmp(
			mime_filename_extension(name), ".p7m") == 0;
	} T_END;
	return ret;
}

bool mime_is_opaque_smime(const struct message_part *root)
{
	if (mime_part_is(root, "application", "pkcs7-mime") ||
	    mime_part_is(root, "application", "x-pkcs7-mime"))
		return TRUE;
	return mime_part_is(root, "application", "octet-stream") &&
		has_p7m_name(root);
}

static bool type_is_pkcs7_signature(const char *type)
{
	return strcasecmp(type, "application/pkcs7-signature") == 0 ||
		strcasecmp(type, "application/x-pkcs7-signature") == 0;
}

int mime_is_clear_signed_smime(const struct message_part *root)
{
	const struct message_part *sig;
	int ret = -1;

	if (!mime_part_is(root, "multipart", "signed"))
		return 0;
	T_BEGIN {
		const char *protocol = t_mime_part_param(root, "protocol");

		sig = root->children == NULL ? NULL : root->children->next;
		if (protocol != NULL)
			ret = type_is_pkcs7_signature(protocol) ? 1 : 0;
		else if (sig != NULL)
			ret = type_is_pkcs7_signature(t_mime_part_type(sig)) ?
				1 : 0;
	} T_END;
	return ret;
}

const char *mime_class_from_header(const struct message_part *root)
{
	if (mime_is_opaque_smime(root))
		return "IPM.Note.SMIME";
	switch (mime_is_clear_signed_smime(root)) {
	case 1:
		return "IPM.Note.SMIME.MultipartSigned";
	case -1:
		return NULL;
	}
	if (mime_part_is(root, "multipart", "report"))
		return NULL;
	/* A text/calendar isn't made IPM.Schedule.Meeting.*: clients insist on
	   that class having all the properties of a meeting. */
	return "IPM.Note";
}
