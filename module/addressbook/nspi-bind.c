/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "sha1.h"
#include "mapi-directory-settings.h"
#include "addressbook-url.h"
#include "nspi-handlers.h"

/* [MS-OXNSPI] 3.1.4.1.2 */
#define NSPI_UNBIND_SUCCESS 1

struct mapi_guid nspi_server_guid(const struct nspi_context *ctx)
{
	unsigned char digest[SHA1_RESULTLEN];
	struct mapi_guid guid;

	/* MIds are stable for as long as this is the same one. */
	if (ctx->snapshot != NULL)
		return snapshot_info(ctx->snapshot)->lineage;
	sha1_get_digest(ctx->set->mapi_organization,
			strlen(ctx->set->mapi_organization), digest);
	memcpy(guid.bytes, digest, sizeof(guid.bytes));
	return guid;
}

/* 3.1.4.1.1. fAnonymousLogin doesn't matter: login has authenticated the
   user. */
enum mapi_error
nspi_bind(struct nspi_context *ctx, const struct mapihttp_bind_request *req,
	  struct mapihttp_bind_response *resp)
{
	if (req->state.code_page == NSPI_CODEPAGE_UNICODE)
		return EC_INVALID_CODEPAGE;
	resp->server_guid = nspi_server_guid(ctx);
	return EC_NONE;
}

enum mapi_error
nspi_unbind(struct nspi_context *ctx ATTR_UNUSED,
	    const struct mapihttp_unbind_request *req ATTR_UNUSED,
	    struct mapihttp_unbind_response *resp ATTR_UNUSED)
{
	return (enum mapi_error)NSPI_UNBIND_SUCCESS;
}

static const char *
nspi_url(const struct nspi_context *ctx, enum addressbook_endpoint endpoint)
{
	struct addressbook_url_params params;
	struct snapshot_object object;
	uint32_t mid;
	const char *url;

	i_zero(&params);
	params.external_url = ctx->set->mapi_external_url;
	params.username = ctx->username;
	mid = ctx->snapshot == NULL ? 0 :
		snapshot_find_username(ctx->snapshot, ctx->username);
	if (mid != 0 && snapshot_get(ctx->snapshot, mid, &object))
		params.id = object.id;
	T_BEGIN {
		url = talloc_strdup(ctx->mem,
				    addressbook_url(&params, endpoint));
	} T_END;
	return url;
}

/* [MS-OXCMAPIHTTP] 2.2.5.18. There's one server for everybody. */
enum mapi_error
nspi_get_mailbox_url(struct nspi_context *ctx,
		     const struct mapihttp_get_mailbox_url_request *req
			ATTR_UNUSED,
		     struct mapihttp_get_mailbox_url_response *resp)
{
	resp->server_url = nspi_url(ctx, ADDRESSBOOK_ENDPOINT_EMSMDB);
	return EC_NONE;
}

/* 2.2.5.19 */
enum mapi_error
nspi_get_address_book_url(struct nspi_context *ctx,
		const struct mapihttp_get_address_book_url_request *req
			ATTR_UNUSED,
		struct mapihttp_get_address_book_url_response *resp)
{
	resp->server_url = nspi_url(ctx, ADDRESSBOOK_ENDPOINT_NSPI);
	return EC_NONE;
}
