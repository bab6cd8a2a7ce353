/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_RECIPIENT_H
#define MAPI_RECIPIENT_H

/* Recipients of a message, [MS-OXCDATA] 2.8.3 */

#include "mapi-wire.h"

/* RecipientType, [MS-OXCMSG] 2.2.3.1.1.2 */
enum mapi_recipient_type {
	MAPI_ORIG	= 0x00,
	MAPI_TO		= 0x01,
	MAPI_CC		= 0x02,
	MAPI_BCC	= 0x03,
	MAPI_RECIPIENT_TYPE_MASK = 0x0F,
	/* resend flags beside the type */
	MAPI_RECIPIENT_RESEND	= 0x10,
	MAPI_RECIPIENT_SUBMITTED = 0x80,
};

/* RecipientFlags, [MS-OXCDATA] 2.8.3.1, as a little-endian 16-bit number */
enum mapi_recipient_flags {
	MAPI_RECIP_TYPE_NONE	= 0x0000,
	MAPI_RECIP_TYPE_X500	= 0x0001,
	MAPI_RECIP_TYPE_MSMAIL	= 0x0002,
	MAPI_RECIP_TYPE_SMTP	= 0x0003,
	MAPI_RECIP_TYPE_FAX	= 0x0004,
	MAPI_RECIP_TYPE_POS	= 0x0005,
	MAPI_RECIP_TYPE_PDL1	= 0x0006,
	MAPI_RECIP_TYPE_PDL2	= 0x0007,
	MAPI_RECIP_TYPE_MASK	= 0x0007,

	MAPI_RECIP_EMAIL	= 0x0008,	/* E: EmailAddress is there */
	MAPI_RECIP_DISPLAY_NAME	= 0x0010,	/* D */
	MAPI_RECIP_TRANSMITTABLE = 0x0020,	/* T */
	/* S: TransmittableDisplayName is the same as DisplayName */
	MAPI_RECIP_SAME_NAME	= 0x0040,
	MAPI_RECIP_RESPONSIBLE	= 0x0080,	/* R */
	MAPI_RECIP_NON_RICH	= 0x0100,	/* N */
	MAPI_RECIP_UNICODE	= 0x0200,	/* U */
	MAPI_RECIP_SIMPLE_NAME	= 0x0400,	/* I */
	MAPI_RECIP_ADDRESS_TYPE	= 0x8000,	/* O: with TYPE_NONE only */
};

/* The strings are UTF-8 if flags has MAPI_RECIP_UNICODE, else bytes in the
   client's code page; x500dn and address_type are always 8-bit. */
struct mapi_recipient_row {
	/* Not part of the row on the wire, but of what is around it
	   (OpenRecipientRow etc.); the codecs here leave them alone. */
	uint32_t row_id;
	uint8_t recipient_type;		/* MAPI_TO.. */
	uint16_t code_page_id;

	uint16_t flags;			/* enum mapi_recipient_flags */
	/* TYPE_X500: how many bytes of the DnPrefix (Connect) precede x500dn */
	uint8_t address_prefix_used;
	uint8_t display_type;
	const char *x500dn;
	/* TYPE_PDL1, TYPE_PDL2 */
	struct mapi_binary entry_id, search_key;
	const char *address_type;
	const char *email_address;
	const char *display_name;
	const char *simple_display_name;
	const char *transmittable_display_name;
	/* The first so many of the columns that the message has told
	   (RecipientColumns), with their values. */
	struct mapi_property_row properties;
};

/* columns: RecipientColumns. What flags doesn't name is NULL or empty. */
bool mapi_pull_recipient_row(struct mapi_pull *pull, const uint32_t *columns,
			     uint32_t column_count,
			     struct mapi_recipient_row *row_r);
/* Writes what flags names; a string that is NULL all the same is written as
   empty. */
bool mapi_push_recipient_row(struct mapi_push *push,
			     const struct mapi_recipient_row *row);
bool mapi_recipient_row_equal(const struct mapi_recipient_row *a,
			      const struct mapi_recipient_row *b);
void mapi_recipient_row_print(char **str, const struct mapi_recipient_row *row);

#endif
