/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPI_HANDLERS_H
#define NSPI_HANDLERS_H

/* All requests of the address book's endpoint: X-RequestType, and the name of
   its handler and structs. PING has no bodies and is nspi_request()'s own. */

#include "nspi.h"

#define NSPI_HANDLERS(X) \
	X("Bind", bind) \
	X("Unbind", unbind) \
	X("CompareMIds", compare_mids) \
	X("DNToMId", dn_to_mid) \
	X("GetMatches", get_matches) \
	X("GetPropList", get_prop_list) \
	X("GetProps", get_props) \
	X("GetSpecialTable", get_special_table) \
	X("GetTemplateInfo", get_template_info) \
	X("ModLinkAtt", mod_link_att) \
	X("ModProps", mod_props) \
	X("QueryColumns", query_columns) \
	X("QueryRows", query_rows) \
	X("ResolveNames", resolve_names) \
	X("ResortRestriction", resort_restriction) \
	X("SeekEntries", seek_entries) \
	X("UpdateStat", update_stat) \
	X("GetMailboxUrl", get_mailbox_url) \
	X("GetAddressBookUrl", get_address_book_url)

#define NSPI_HANDLER_DECLARE(type, name) \
enum mapi_error nspi_##name(struct nspi_context *ctx, \
			    const struct mapihttp_##name##_request *req, \
			    struct mapihttp_##name##_response *resp);
NSPI_HANDLERS(NSPI_HANDLER_DECLARE)
#undef NSPI_HANDLER_DECLARE

#endif
