/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_CHANNEL_H
#define MAPI_CHANNEL_H

/* The channel between a login process and a session's worker: frames on a
   stream socket between two processes of one machine, so integers are in host
   byte order. A worker can have several channels (one for each login process
   that serves the session), a login process one for each session.

   Requests carry an id that is unique on the channel; the response to it
   carries the same id. Several can be under way: a NotificationWait waits
   while Executes run. Whoever receives a frame checks its header before it
   believes its length. */

struct mapi_channel;

/* Largest payload of a frame. A login process refuses larger requests
   (mapi_max_request_size) and a worker's responses are far smaller. */
#define MAPI_CHANNEL_MAX_PAYLOAD (16 * 1024 * 1024)

/* Length of a session's key: the SHA-256 of the secret in its cookie. The
   secret itself never leaves the login processes. */
#define MAPI_SESSION_KEY_SIZE 32

enum mapi_frame_type {
	/* login -> worker, the first frame of a new session's first channel:
	   payload is the session's key, under which the worker registers with
	   mapi-sessions once a Connect has succeeded. login -> addressbook:
	   the key, then the username; it registers once a Bind has
	   succeeded. */
	MAPI_FRAME_SESSION = 1,
	/* login -> worker: payload is the X-RequestType, a NUL, and the
	   request's body */
	MAPI_FRAME_REQUEST,
	/* login -> worker: a NotificationWait is to be answered now, without
	   a notification. Nobody may be waiting for the answer any more. */
	MAPI_FRAME_CANCEL,
	/* worker -> login: code is the X-ResponseCode, the payload the
	   response's body (StatusCode etc.), empty unless code is 0 */
	MAPI_FRAME_RESPONSE,
	/* login -> addressbook: a request that is of no session, e.g.
	   Autodiscover's: payload are fields and a body
	   (mapi_channel_send_fields()). It's answered by one of this type,
	   whose code is the HTTP status. */
	MAPI_FRAME_SERVICE,
};
#define MAPI_FRAME_TYPE_MAX MAPI_FRAME_SERVICE

enum mapi_frame_flags {
	/* in a response: the session is over, its cookie is to be forgotten */
	MAPI_FRAME_FLAG_SESSION_ENDED	= 0x01,
};

struct mapi_frame {
	enum mapi_frame_type type;
	enum mapi_frame_flags flags;
	/* X-ResponseCode, [MS-OXCMAPIHTTP] 2.2.3.3.3 */
	unsigned int code;
	uint32_t request_id;
	const unsigned char *data;
	size_t size;
};

struct mapi_channel_callbacks {
	/* A frame has arrived; its data is valid until return. The callback
	   may call mapi_channel_deinit(). */
	void (*frame)(void *context, const struct mapi_frame *frame);
	/* The other side is gone or has sent nonsense. The callback must call
	   mapi_channel_deinit(). */
	void (*closed)(void *context, const char *reason);
};

/* The channel owns fd. */
struct mapi_channel *
mapi_channel_init(int fd, const struct mapi_channel_callbacks *callbacks,
		  void *context);
void mapi_channel_deinit(struct mapi_channel **channel);

/* Sends a frame, buffering as much as necessary. */
void mapi_channel_send(struct mapi_channel *channel,
		       const struct mapi_frame *frame);
/* Sends a MAPI_FRAME_REQUEST. */
void mapi_channel_send_request(struct mapi_channel *channel,
			       uint32_t request_id, const char *request_type,
			       const void *body, size_t body_size);
/* Splits the payload of a MAPI_FRAME_REQUEST. Returns FALSE if it isn't one. */
bool mapi_channel_parse_request(const struct mapi_frame *frame,
				const char **request_type_r,
				const unsigned char **body_r,
				size_t *body_size_r);

/* Sends a MAPI_FRAME_SERVICE. fields is NULL-terminated, "name=value" each; no
   name twice, names in lower case. code is the HTTP status of an answer. */
void mapi_channel_send_fields(struct mapi_channel *channel,
			      uint32_t request_id, unsigned int code,
			      const char *const *fields,
			      const void *body, size_t body_size);
/* Splits the payload of a MAPI_FRAME_SERVICE. fields_r is NULL-terminated and
   on the data stack, the strings are the frame's. Returns FALSE if it isn't
   one. */
bool mapi_channel_parse_fields(const struct mapi_frame *frame,
			       const char *const **fields_r,
			       const unsigned char **body_r,
			       size_t *body_size_r);
/* Value of a field, NULL if it isn't there */
const char *mapi_channel_field(const char *const *fields, const char *name);

/* Parses a frame at the start of data. Returns 1 and the frame's whole size, 0
   if more data is needed, -1 if it can't be a frame. */
int mapi_frame_parse(const unsigned char *data, size_t size,
		     struct mapi_frame *frame_r, size_t *frame_size_r);

#endif
