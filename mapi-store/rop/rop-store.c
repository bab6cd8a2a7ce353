/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib.h"
#include "ioloop.h"
#include "hostpid.h"
#include "mapi-enums.h"
#include "mapi-legacy-dn.h"
#include "mapi-folder-rights.h"
#include "mapi-store.h"
#include "mapi-store-directory.h"
#include "mapi-session.h"
#include "mapi-submit.h"
#include "rop-handlers.h"

#include <time.h>

/* --- logon ----------------------------------------------------------------- */

static void rop_logon_time(struct rop_logon_time *time_r)
{
	struct tm *tm = gmtime(&ioloop_time);

	time_r->seconds = tm->tm_sec;
	time_r->minutes = tm->tm_min;
	time_r->hour = tm->tm_hour;
	time_r->day_of_week = tm->tm_wday;
	time_r->day = tm->tm_mday;
	time_r->month = tm->tm_mon + 1;
	time_r->year = tm->tm_year + 1900;
}

static enum mapi_error
rop_logon_wrong_server(struct rop_context *ctx,
		       const struct rop_logon_request *req,
		       struct rop_logon_response *resp_r)
{
	const struct mapi_session_settings *set =
		mapi_session_settings_get(ctx->session);

	/* 2.2.1.1.2: the server to log on to. This one serves all mailboxes
	   that it can be asked for. */
	resp_r->logon_flags = req->logon_flags;
	resp_r->server_name = mapi_legacy_dn_server(ctx->mem,
		set->store.organization, my_hostname);
	return EC_WRONG_SERVER;
}

/* [MS-OXCSTOR] 3.2.5.1. Flags that aren't defined are ignored: refusing them
   is only recommended, and new clients have new ones. */
enum mapi_error rop_logon(struct rop_context *ctx,
			  const struct rop_logon_request *req,
			  struct rop_logon_response *resp_r)
{
	const struct mapi_session_settings *set =
		mapi_session_settings_get(ctx->session);
	struct mapi_store *store;
	struct mapi_logon *logon;
	const char *delegate;
	enum mapi_error ret;
	unsigned int i;

	if ((req->logon_flags & LOGON_FLAG_PRIVATE) == 0) {
		/* There are no public folders: as if their server was down. */
		return EC_LOGIN_FAILURE;
	}
	if ((req->open_flags & LOGON_OPEN_PUBLIC) != 0 ||
	    (req->open_flags & LOGON_OPEN_USE_PER_MDB_REPLID_MAPPING) == 0)
		return EC_INVALID_PARAM;
	if ((req->open_flags & LOGON_OPEN_ALTERNATE_SERVER) != 0)
		return rop_logon_wrong_server(ctx, req, resp_r);

	ret = mapi_session_get_store(ctx->session,
				     req->essdn == NULL ? "" : req->essdn,
				     &store);
	if (ret != EC_NONE)
		return ret;
	delegate = mapi_store_settings_get(store)->delegate;
	/* ACLs say who may do what in others' mailboxes, nothing else. */
	if (delegate != NULL &&
	    (req->open_flags & LOGON_OPEN_USE_ADMIN_PRIVILEGE) != 0)
		return EC_LOGIN_PERM;
	ret = mapi_logon_open(ctx->object_parent, store, &logon);
	if (ret != EC_NONE)
		return ret;
	logon->logon_id = ctx->logon_id;
	logon->logon_flags = req->logon_flags;
	logon->open_flags = req->open_flags;
	logon->code_page = set->code_page;
	mapi_store_set_code_page(store, set->code_page);
	logon->locale_sort = set->locale_sort;
	logon->locale_string = set->locale_string;
	if (delegate != NULL) {
		logon->user_name = set->store.display_name;
		logon->user_dn = mapi_store_username_to_dn(&set->store, logon,
							   delegate);
	}
	ctx->output_object = &logon->obj;

	resp_r->logon_flags = req->logon_flags &
		(LOGON_FLAG_PRIVATE | LOGON_FLAG_UNDERCOVER |
		 LOGON_FLAG_GHOSTED);
	for (i = 0; i < MAPI_LOGON_FOLDER_COUNT; i++)
		resp_r->folder_ids[i] = mapi_store_special_fid(store, i);
	resp_r->response_flags = LOGON_RESPONSE_RESERVED;
	if (!mapi_store_is_delegate(store))
		resp_r->response_flags |= LOGON_RESPONSE_OWNER_RIGHT;
	if (mapi_store_may_send_as_owner(store))
		resp_r->response_flags |= LOGON_RESPONSE_SEND_AS_RIGHT;
	resp_r->mailbox_guid = *mapi_store_mailbox_guid(store);
	resp_r->repl_id = MAPI_STORE_REPLID;
	resp_r->repl_guid = *mapi_store_replica_guid(store);
	rop_logon_time(&resp_r->logon_time);
	resp_r->gwart_time = mapi_time_from_unix(ioloop_time, 0);
	resp_r->store_state = 0;
	return EC_NONE;
}

/* [MS-OXCSTOR] 3.2.5.5: servers should not implement it. PidTagStoreState is the
   same. */
enum mapi_error
rop_get_store_state(struct rop_context *ctx,
		    const struct rop_get_store_state_request *req,
		    struct rop_get_store_state_response *resp_r)
{
	return EC_NOT_IMPLEMENTED;
}

/* --- ids --------------------------------------------------------------------- */

/* [MS-OXCSTOR] 3.2.5.8. Whether the object exists isn't looked at. */
enum mapi_error
rop_long_term_id_from_id(struct rop_context *ctx,
			 const struct rop_long_term_id_from_id_request *req,
			 struct rop_long_term_id_from_id_response *resp_r)
{
	resp_r->long_term_id.globcnt = MAPI_ID_GLOBCNT(req->object_id);
	return mapi_store_replid_to_guid(ctx->object->store,
					 MAPI_ID_REPLID(req->object_id),
					 &resp_r->long_term_id.guid);
}

/* [MS-OXCSTOR] 3.2.5.9. A counter of 0 is nobody's id, but no error. */
enum mapi_error
rop_id_from_long_term_id(struct rop_context *ctx,
			 const struct rop_id_from_long_term_id_request *req,
			 struct rop_id_from_long_term_id_response *resp_r)
{
	static const struct mapi_guid zero_guid;
	enum mapi_error ret;
	uint16_t replid;

	if (mapi_guid_cmp(&req->long_term_id.guid, &zero_guid) == 0)
		return EC_INVALID_PARAM;
	/* a GUID that isn't known gets a replica id */
	if (mapi_guid_cmp(&req->long_term_id.guid,
			  mapi_store_replica_guid(ctx->object->store)) != 0 &&
	    !mapi_store_has_write_right(ctx->object->store))
		return EC_ACCESS_DENIED;
	ret = mapi_store_guid_to_replid(ctx->object->store,
					&req->long_term_id.guid, &replid);
	if (ret == EC_NOT_ENOUGH_RESOURCES)
		return EC_PARAMETER_OVERFLOW;
	if (ret != EC_NONE)
		return ret;
	resp_r->object_id = MAPI_ID(replid, req->long_term_id.globcnt);
	return EC_NONE;
}

/* [MS-OXCFXICS] 3.2.5.9.4.7 */
enum mapi_error
rop_get_local_replica_ids(struct rop_context *ctx,
			  const struct rop_get_local_replica_ids_request *req,
			  struct rop_get_local_replica_ids_response *resp_r)
{
	struct mapi_store *store = ctx->object->store;

	if (!mapi_store_has_write_right(store))
		return EC_ACCESS_DENIED;
	resp_r->repl_guid = *mapi_store_replica_guid(store);
	return mapi_store_reserve_ids(store, req->id_count,
				      &resp_r->global_count);
}
