/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_H
#define NSPI_H

/* The requests of the address book, [MS-OXNSPI] over [MS-OXCMAPIHTTP] 2.2.5.
   They keep nothing between each other: what a client has open is in the STAT
   that it sends along. So whatever isn't in a struct nspi_context is none of
   their business, and a new snapshot may be used from one request to the next.

   A handler gets a request that is decoded and a response that is zero. When
   it returns an error (other than EC_ERRORS_RETURNED, with which GetProps
   succeeds in part) what it has put into the response isn't sent, as clients
   can't cope with output along with an error. */

#include "snapshot.h"
#include "mapi-errors.h"
#include "mapi-http.h"

struct mapi_addressbook_settings;

/* [MS-OXNSPI] 2.2.1.8 */
#define NSPI_MID_BEGINNING_OF_TABLE 0x00000000U
#define NSPI_MID_CURRENT 0x00000001U
#define NSPI_MID_END_OF_TABLE 0x00000002U
/* 2.2.1.9 */
#define NSPI_MID_UNRESOLVED 0x00000000U
#define NSPI_MID_AMBIGUOUS 0x00000001U
#define NSPI_MID_RESOLVED 0x00000002U

/* 2.2.1.10 */
enum nspi_sort_type {
	NSPI_SORT_DISPLAY_NAME			= 0x00000000,
	NSPI_SORT_PHONETIC_DISPLAY_NAME		= 0x00000003,
	NSPI_SORT_DISPLAY_NAME_RO		= 0x000003E8,
	NSPI_SORT_DISPLAY_NAME_W		= 0x000003E9,
};

/* 2.2.1.11 */
enum nspi_retrieve_flags {
	NSPI_SKIP_OBJECTS	= 0x00000001,
	NSPI_EPHEMERAL_IDS	= 0x00000002,
};

/* 2.2.1.5: CP_WINUNICODE, which isn't one for 8-bit strings */
#define NSPI_CODEPAGE_UNICODE 1200

/* What Has... fields and presence bytes are where it is there */
#define NSPI_TRUE 0xFF

/* Rows that a response has at most, and bytes after which it gets no further
   one: clients ask for the rest. */
#define NSPI_MAX_ROWS 10000
#define NSPI_MAX_ROWS_SIZE (4 * 1024 * 1024)
#define NSPI_MAX_COLUMNS 100

/* What a request wants to have changed in the directory: properties of one
   object, all or nothing. */
struct nspi_change {
	/* of the user, with whose rights it's to be done, and of the object */
	const char *user_dn, *dn;
	struct nspi_change_part {
		uint32_t tag;
		enum nspi_change_op {
			NSPI_CHANGE_ADD,
			NSPI_CHANGE_REMOVE,
			/* no values: none are left */
			NSPI_CHANGE_REPLACE,
		} op;
		/* bytes; normalised DNs for links */
		const struct mapi_binary *values;
		uint32_t values_count;
	} *parts;
	uint32_t parts_count;
};

struct nspi_context {
	const struct mapi_addressbook_settings *set;
	/* NULL while there's none: the address book is empty then */
	const struct snapshot *snapshot;
	/* the user whose session it is, as Dovecot knows it */
	const char *username;
	/* what the response is made of */
	TALLOC_CTX *mem;
	/* set by handlers whose change is still to be done when they return */
	const struct nspi_change *change;
};

/* Result of a request */
struct nspi_result {
	/* X-ResponseCode, [MS-OXCMAPIHTTP] 2.2.3.3.3; with others than 0
	   there's no body */
	enum nspi_response_code {
		NSPI_RESPONSE_SUCCESS			= 0,
		NSPI_RESPONSE_UNKNOWN_FAILURE		= 1,
		NSPI_RESPONSE_INVALID_REQUEST_TYPE	= 5,
		NSPI_RESPONSE_CONTEXT_NOT_FOUND		= 10,
		NSPI_RESPONSE_INVALID_BODY		= 12,
	} code;
	/* on the context's mem */
	const uint8_t *body;
	size_t body_size;
	/* of the response, or EC_NONE */
	enum mapi_error error;
	/* if not NULL, there's no body yet: this is to be done, then
	   nspi_change_finish() makes the body. On the context's mem */
	const struct nspi_change *change;
};

/* Handles a request. bound: there's a session, by a Bind that has succeeded.
   It's changed by Bind and Unbind. */
void nspi_request(struct nspi_context *ctx, const char *request_type,
		  const uint8_t *body, size_t body_size, bool *bound,
		  struct nspi_result *result_r);

/* The response to a request that wanted a change, by what became of it: EC_NONE
   or an error. ctx needs no more than mem. */
void nspi_change_finish(struct nspi_context *ctx, const char *request_type,
			enum mapi_error error, struct nspi_result *result_r);

/* The ServerGuid of Bind, which is the provider of ephemeral entry ids */
struct mapi_guid nspi_server_guid(const struct nspi_context *ctx);

#endif
