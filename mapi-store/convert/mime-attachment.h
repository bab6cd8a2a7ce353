/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIME_ATTACHMENT_H
#define MIME_ATTACHMENT_H

/* Attachments' properties and content. [MS-OXCMAIL] 2.2.3.4,
   [MS-OXCMSG] 2.2.2 */

#include "mime-headers.h"
#include "mime-structure.h"

/* All properties of the attachment but PidTagAttachNumber, PidTagAttachDataBinary
   and PidTagAttachDataObject (see below), PidTagAccess and what else isn't of
   the message: filenames, mime tag, method, rendering position, flags, content
   id and location, hidden, size, charset ... */
enum mime_prop_result
mime_attachment_get_prop(const struct mime_attachment *attachment,
			 TALLOC_CTX *mem, uint32_t tag,
			 struct mapi_value *value_r);
/* as mime_headers_prop_at() */
bool mime_attachment_prop_at(unsigned int i, uint32_t *tag_r);

/* PidTagAttachDataBinary: a stream of the decoded content (kind CONTENT) or of
   the raw bytes with CRLF line ends (ENTITY; MESSAGE as message/rfc822).
   message is the message that the part positions are of, position 0 being
   offset 0 of it. The returned stream references it, may be seeked, and reads
   message as it is read itself. Broken encodings never fail: what can be
   decoded is. */
struct istream *
mime_attachment_open(const struct mime_attachment *attachment,
		     struct istream *message);

#endif
