/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_AUX_H
#define MAPI_AUX_H

/* Blocks of an auxiliary buffer, the payload of its extended buffer:
   [MS-OXCRPC] 2.2.2.2. What clients report is of interest to logs only. */

#include "mapi-wire.h"

enum mapi_aux_version {
	MAPI_AUX_VERSION_1 = 0x01,
	MAPI_AUX_VERSION_2 = 0x02,
};
enum mapi_aux_type {
	MAPI_AUX_PERF_REQUESTID		= 0x01,
	MAPI_AUX_PERF_CLIENTINFO	= 0x02,
	MAPI_AUX_PERF_SERVERINFO	= 0x03,
	MAPI_AUX_PERF_SESSIONINFO	= 0x04,
	MAPI_AUX_CLIENT_CONTROL		= 0x0A,
	MAPI_AUX_PERF_PROCESSINFO	= 0x0B,
	MAPI_AUX_OSVERSIONINFO		= 0x16,
	MAPI_AUX_EXORGINFO		= 0x17,
	MAPI_AUX_PERF_ACCOUNTINFO	= 0x18,
	MAPI_AUX_SERVER_CAPABILITIES	= 0x46,
	MAPI_AUX_ENDPOINT_CAPABILITIES	= 0x48,
	MAPI_AUX_CLIENT_CONNECTION_INFO	= 0x4A,
	MAPI_AUX_SERVER_SESSION_INFO	= 0x4B,
	MAPI_AUX_PROTOCOL_DEVICE_ID	= 0x4E,
};

/* flags of what a server may tell */
enum mapi_aux_client_control_flags {
	MAPI_AUX_ENABLE_PERF_SENDTOSERVER	= 0x00000001,
	MAPI_AUX_ENABLE_COMPRESSION		= 0x00000004,
	MAPI_AUX_ENABLE_HTTP_TUNNELING		= 0x00000008,
	MAPI_AUX_ENABLE_PERF_SENDGCDATA		= 0x00000010,
};
enum mapi_aux_org_flags {
	MAPI_AUX_PUBLIC_FOLDERS_ENABLED		= 0x00000001,
	MAPI_AUX_USE_AUTODISCOVER_FOR_PF	= 0x00000002,
};
enum mapi_aux_endpoint_flags {
	MAPI_AUX_SINGLE_ENDPOINT		= 0x00000001,
};

struct mapi_aux_block {
	uint8_t version, type;
	/* after AUX_HEADER; points into the input */
	struct mapi_binary data;
};
/* Splits the buffer. Unknown blocks are there like all others. false if a
   block's size doesn't fit; those before it are in blocks_r. */
bool mapi_aux_decode(TALLOC_CTX *mem, const void *data, size_t size,
		     struct mapi_aux_block **blocks_r, unsigned int *count_r);
bool mapi_push_aux_block(struct mapi_push *push,
			 const struct mapi_aux_block *block);

/* AUX_PERF_CLIENTINFO, [MS-OXCRPC] 2.2.2.2.4: NULL for what isn't given */
struct mapi_aux_client_info {
	uint32_t adapter_speed;
	uint16_t client_id;
	uint16_t client_mode;		/* 1 classic, 2 cached */
	const char *machine_name, *user_name, *adapter_name;
	struct mapi_binary client_ip, client_ip_mask, mac_address;
};
bool mapi_aux_client_info(TALLOC_CTX *mem, const struct mapi_aux_block *block,
			  struct mapi_aux_client_info *info_r);
/* AUX_PERF_PROCESSINFO, 2.2.2.2.6 */
struct mapi_aux_process_info {
	uint16_t process_id;
	struct mapi_guid process_guid;
	const char *process_name;
};
bool mapi_aux_process_info(TALLOC_CTX *mem, const struct mapi_aux_block *block,
			   struct mapi_aux_process_info *info_r);
/* AUX_PERF_SESSIONINFO, both versions: 2.2.2.2.2, 2.2.2.2.3 */
struct mapi_aux_session_info {
	uint16_t session_id;
	struct mapi_guid session_guid;
	uint32_t connection_id;		/* version 2 */
};
bool mapi_aux_session_info(const struct mapi_aux_block *block,
			   struct mapi_aux_session_info *info_r);

/* Blocks that a server sends with Connect */
bool mapi_push_aux_client_control(struct mapi_push *push, uint32_t enable_flags,
				  uint32_t expiry_ms);
bool mapi_push_aux_exorginfo(struct mapi_push *push, uint32_t org_flags);
bool mapi_push_aux_endpoint_capabilities(struct mapi_push *push,
					 uint32_t flags);
bool mapi_push_aux_server_capabilities(struct mapi_push *push, uint32_t flags);

/* One line per block, on mem */
char *mapi_aux_print(TALLOC_CTX *mem, const void *data, size_t size);

#endif
