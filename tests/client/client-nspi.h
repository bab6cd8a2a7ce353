/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLIENT_NSPI_H
#define CLIENT_NSPI_H

/* The address book as a client asks it: [MS-OXNSPI] 3.1.4.1 (what the requests
   mean) over [MS-OXCMAPIHTTP] 2.2.5 (their bodies).

   A position in an address list is a STAT, which goes along with each request
   and comes back changed; the server remembers none. Objects are named by their
   minimal entry ids (MIds), which are good for as long as the server's GUID is.

   Functions return 0, or -1 with error_r set. What they return is on mem. What
   a server must not answer is collected as violations of http, as there. */

#include "client-http.h"
#include "mapi-http.h"

/* [MS-OXNSPI] 2.2.1.8: positions */
#define CLIENT_MID_BEGINNING	0x00000000
#define CLIENT_MID_CURRENT	0x00000001
#define CLIENT_MID_END		0x00000002
/* 2.2.1.9: what ResolveNames says of a name */
#define CLIENT_MID_UNRESOLVED	0x00000000
#define CLIENT_MID_AMBIGUOUS	0x00000001
#define CLIENT_MID_RESOLVED	0x00000002
/* 2.2.1.11 */
#define CLIENT_NSPI_SKIP_OBJECTS	0x00000001
#define CLIENT_NSPI_EPHEMERAL_IDS	0x00000002
/* 2.2.1.12 */
#define CLIENT_NSPI_CREATION_TEMPLATES	0x00000002
#define CLIENT_NSPI_UNICODE_STRINGS	0x00000004
/* 2.2.1.13 */
#define CLIENT_NSPI_UNICODE_TYPES	0x80000000
/* 2.2.1.14 */
#define CLIENT_NSPI_TEMPLATE		0x00000001
#define CLIENT_NSPI_TEMPLATE_SCRIPT	0x00000004

/* 2.2.1.3 */
enum client_display_type {
	CLIENT_DT_MAILUSER	= 0x000,
	CLIENT_DT_DISTLIST	= 0x001,
	CLIENT_DT_FORUM		= 0x002,
	CLIENT_DT_AGENT		= 0x003,
	CLIENT_DT_ORGANIZATION	= 0x004,
	CLIENT_DT_PRIVATE_DISTLIST = 0x005,
	CLIENT_DT_REMOTE_MAILUSER = 0x006,
	CLIENT_DT_CONTAINER	= 0x100,
	CLIENT_DT_TEMPLATE	= 0x101,
};

struct client_nspi {
	struct client_http *http;
	struct client_connection *conn;
	bool bound;
	struct mapi_guid server_guid;
	/* decoded requests and responses are printed to it if it isn't NULL */
	FILE *trace;
};

struct client_nspi_columns {
	const uint32_t *tags;
	uint32_t count;
};

struct client_nspi_rows {
	struct mapi_property_row *rows;
	uint32_t count;
};

struct client_nspi_mids {
	const uint32_t *mids;
	uint32_t count;
};

/* params->url is the address book endpoint. Nothing is sent yet. */
struct client_nspi *
client_nspi_new(TALLOC_CTX *mem, const struct client_http_params *params);
/* The beginning of the global address list, sorted by name, in English */
void client_nspi_stat_init(struct mapihttp_stat *stat);

/* Sends any request (struct mapihttp_x_request) of a type; *resp_r is a struct
   mapihttp_x_response. Fails if its StatusCode or ErrorCode isn't 0, other than
   EC_ERRORS_RETURNED. */
int client_nspi_call(struct client_nspi *nspi, TALLOC_CTX *mem,
		     const char *type, const void *req, void *resp_r,
		     struct client_error *error_r);

int client_nspi_bind(struct client_nspi *nspi, struct client_error *error_r);
int client_nspi_unbind(struct client_nspi *nspi, struct client_error *error_r);

/* The hierarchy of address lists; *version as the last answer said it (0 at
   first), with which the list may be empty. *rows_r[*count_r]. */
int client_nspi_special_table(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags, uint32_t *version,
			      struct mapihttp_property_list **rows_r,
			      uint32_t *count_r, struct client_error *error_r);
int client_nspi_update_stat(struct client_nspi *nspi,
			    struct mapihttp_stat *stat, int32_t *delta_r,
			    struct client_error *error_r);
/* From the position on; or, if mids isn't NULL, of these objects. columns NULL
   = the server's choice. */
int client_nspi_query_rows(struct client_nspi *nspi, TALLOC_CTX *mem,
			   struct mapihttp_stat *stat,
			   const struct client_nspi_mids *mids, uint32_t count,
			   const struct client_nspi_columns *columns,
			   struct client_nspi_rows *rows_r,
			   struct client_error *error_r);
/* To the first row that isn't before the display name; EC_NOT_FOUND if there's
   none. columns NULL = no rows are wanted. */
int client_nspi_seek_entries(struct client_nspi *nspi, TALLOC_CTX *mem,
			     struct mapihttp_stat *stat, const char *name,
			     const struct client_nspi_columns *columns,
			     struct client_nspi_rows *rows_r,
			     struct client_error *error_r);
/* The objects of stat's container that the filter lets through; without a
   filter those to which the object at stat->current_rec refers by the property
   tag stat->container_id. More than max are an error. */
int client_nspi_get_matches(struct client_nspi *nspi, TALLOC_CTX *mem,
			    struct mapihttp_stat *stat,
			    struct mapi_restriction *filter, uint32_t max,
			    const struct client_nspi_columns *columns,
			    struct client_nspi_mids *mids_r,
			    struct client_nspi_rows *rows_r,
			    struct client_error *error_r);
int client_nspi_resort(struct client_nspi *nspi, TALLOC_CTX *mem,
		       struct mapihttp_stat *stat,
		       const struct client_nspi_mids *mids,
		       struct client_nspi_mids *mids_r,
		       struct client_error *error_r);
/* mids_r: CLIENT_MID_RESOLVED .. for each name; rows_r: a row for each that is
   resolved, in their order */
int client_nspi_resolve_names(struct client_nspi *nspi, TALLOC_CTX *mem,
			      const char *const *names, uint32_t count,
			      const struct client_nspi_columns *columns,
			      struct client_nspi_mids *mids_r,
			      struct client_nspi_rows *rows_r,
			      struct client_error *error_r);
/* 0 for names that nobody has */
int client_nspi_dn_to_mid(struct client_nspi *nspi, TALLOC_CTX *mem,
			  const char *const *dns, uint32_t count,
			  struct client_nspi_mids *mids_r,
			  struct client_error *error_r);
/* columns NULL = all that the object has */
int client_nspi_get_props(struct client_nspi *nspi, TALLOC_CTX *mem,
			  uint32_t mid, uint32_t flags,
			  const struct client_nspi_columns *columns,
			  struct mapihttp_property_list *props_r,
			  struct client_error *error_r);
int client_nspi_get_prop_list(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t mid, uint32_t flags,
			      struct client_nspi_columns *tags_r,
			      struct client_error *error_r);
int client_nspi_query_columns(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags,
			      struct client_nspi_columns *tags_r,
			      struct client_error *error_r);
/* *result_r < 0, 0, > 0 as mid1 is before, at, after mid2 in the container */
int client_nspi_compare_mids(struct client_nspi *nspi,
			     const struct mapihttp_stat *stat,
			     uint32_t mid1, uint32_t mid2, int32_t *result_r,
			     struct client_error *error_r);
/* The template by which an object's details are shown; by its DN if that isn't
   NULL. */
int client_nspi_template_info(struct client_nspi *nspi, TALLOC_CTX *mem,
			      uint32_t flags, uint32_t display_type,
			      const char *dn, uint32_t locale,
			      struct mapihttp_property_list *props_r,
			      struct client_error *error_r);

/* The value of a property in a list, NULL if it isn't there or an error. */
const struct mapi_value *
client_nspi_value(const struct mapihttp_property_list *props, uint32_t tag);
/* NULL, 0 where it isn't there */
const char *client_nspi_string(const struct mapihttp_property_list *props,
			       uint32_t tag);
uint32_t client_nspi_number(const struct mapihttp_property_list *props,
			    uint32_t tag);
/* An object's MId, of its PidTagInstanceKey ([MS-OXOABK] 2.2.3.6) in a row;
   0 if it isn't there. */
uint32_t client_nspi_row_mid(const struct mapi_property_row *row);

#endif
