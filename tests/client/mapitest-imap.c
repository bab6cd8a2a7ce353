/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memrchr() */
#include "mapitest-imap.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* a line must fit: SORT answers with all numbers of a mailbox in one */
#define BUFFER_SIZE (4 * 1024 * 1024)
#define TIMEOUT_MSECS (120 * 1000)

struct imap_client {
	CURL *curl;
	curl_socket_t fd;
	unsigned int tag;
	uint64_t bytes;

	char buffer[BUFFER_SIZE];
	size_t len, pos;
	/* bytes of a literal that are still to be skipped */
	uint64_t literal;

	/* response that is being kept, NULL if none is */
	char *text;
	size_t text_len, text_size;
};

static int imap_client_destroy(struct imap_client *client)
{
	curl_easy_cleanup(client->curl);
	return 0;
}

static int imap_client_wait(struct imap_client *client, short events,
			    struct client_error *error_r)
{
	struct pollfd pfd = { .fd = client->fd, .events = events };

	if (poll(&pfd, 1, TIMEOUT_MSECS) > 0)
		return 0;
	return client_error_set(error_r, CLIENT_FAIL_TIMEOUT,
				"IMAP: no answer");
}

static int imap_client_send(struct imap_client *client, const char *data,
			    size_t len, struct client_error *error_r)
{
	CURLcode ret;
	size_t n;

	while (len > 0) {
		ret = curl_easy_send(client->curl, data, len, &n);
		if (ret == CURLE_AGAIN) {
			if (imap_client_wait(client, POLLOUT, error_r) < 0)
				return -1;
			continue;
		}
		if (ret != CURLE_OK) {
			return client_error_set(error_r, CLIENT_FAIL_LOST,
				"IMAP: %s", curl_easy_strerror(ret));
		}
		data += n;
		len -= n;
	}
	return 0;
}

static void imap_client_keep(struct imap_client *client, const char *data,
			     size_t len)
{
	if (client->text == NULL)
		return;
	if (client->text_size - client->text_len <= len) {
		client->text_size = (client->text_len + len + 1) * 2;
		client->text = talloc_realloc(client, client->text, char,
					      client->text_size);
	}
	memcpy(client->text + client->text_len, data, len);
	client->text_len += len;
	client->text[client->text_len] = '\0';
}

static int imap_client_fill(struct imap_client *client,
			    struct client_error *error_r)
{
	CURLcode ret;
	size_t n;

	if (client->pos > 0) {
		memmove(client->buffer, client->buffer + client->pos,
			client->len - client->pos);
		client->len -= client->pos;
		client->pos = 0;
	}
	if (client->len == sizeof(client->buffer)) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
					"IMAP: a line is too long");
	}
	for (;;) {
		ret = curl_easy_recv(client->curl, client->buffer + client->len,
				     sizeof(client->buffer) - client->len, &n);
		if (ret == CURLE_OK && n > 0)
			break;
		if (ret != CURLE_AGAIN) {
			return client_error_set(error_r, CLIENT_FAIL_LOST,
				"IMAP: the connection ended");
		}
		if (imap_client_wait(client, POLLIN, error_r) < 0)
			return -1;
	}
	client->len += n;
	client->bytes += n;
	return 0;
}

/* The next line without CRLF; lines that end with a literal are continued
   after it, so what's returned may be the rest of a response. */
static int imap_client_line(struct imap_client *client, const char **line_r,
			    size_t *len_r, struct client_error *error_r)
{
	const char *line, *end, *brace;
	size_t n;

	for (;;) {
		n = client->len - client->pos;
		if (client->literal > 0 && n > 0) {
			if (n > client->literal)
				n = client->literal;
			imap_client_keep(client, client->buffer + client->pos,
					 n);
			client->pos += n;
			client->literal -= n;
			continue;
		}
		line = client->buffer + client->pos;
		end = client->literal > 0 ? NULL : memchr(line, '\n', n);
		if (end == NULL) {
			if (imap_client_fill(client, error_r) < 0)
				return -1;
			continue;
		}
		imap_client_keep(client, line, end + 1 - line);
		client->pos += end + 1 - line;
		*line_r = line;
		*len_r = end - line - (end > line && end[-1] == '\r');
		if (*len_r > 2 && line[*len_r - 1] == '}') {
			brace = memrchr(line, '{', *len_r);
			if (brace != NULL)
				client->literal = strtoull(brace + 1, NULL, 10);
		}
		return 0;
	}
}

int imap_client_command(struct imap_client *client, TALLOC_CTX *mem,
			const char *command, const char **text_r,
			struct client_error *error_r)
{
	char tag[16];
	char *request;
	const char *line;
	size_t len, tag_len;
	int ret;

	tag_len = snprintf(tag, sizeof(tag), "t%u ", ++client->tag);
	request = talloc_asprintf(mem, "%s%s\r\n", tag, command);
	client->text_len = 0;
	client->text_size = 1024;
	client->text = text_r == NULL ? NULL :
		talloc_array(client, char, client->text_size);
	ret = imap_client_send(client, request, strlen(request), error_r);
	talloc_free(request);
	if (ret < 0)
		return -1;
	do {
		if (imap_client_line(client, &line, &len, error_r) < 0)
			return -1;
	} while (len < tag_len || memcmp(line, tag, tag_len) != 0);
	if (len < tag_len + 2 || memcmp(line + tag_len, "OK", 2) != 0) {
		return client_error_set(error_r, CLIENT_FAIL_PROTOCOL,
			"IMAP: %.40s: %.*s", command, (int)len, line);
	}
	if (text_r != NULL)
		*text_r = talloc_steal(mem, client->text);
	client->text = NULL;
	return 0;
}

uint64_t imap_client_bytes(const struct imap_client *client)
{
	return client->bytes;
}

static char *imap_quote(TALLOC_CTX *mem, const char *str)
{
	char *quoted = talloc_array(mem, char, strlen(str) * 2 + 3);
	char *p = quoted;

	*p++ = '"';
	for (; *str != '\0'; str++) {
		if (*str == '"' || *str == '\\')
			*p++ = '\\';
		*p++ = *str;
	}
	*p++ = '"';
	*p = '\0';
	return quoted;
}

struct imap_client *imap_client_new(TALLOC_CTX *mem, const char *address,
				    const struct client_http_params *params,
				    struct client_error *error_r)
{
	struct imap_client *client = talloc_zero(mem, struct imap_client);
	char *url = talloc_asprintf(client, "https://%s/", address);
	const char *line;
	char *login;
	CURLcode ret;
	size_t len;

	client->curl = curl_easy_init();
	talloc_set_destructor(client, imap_client_destroy);
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(client->curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(client->curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (params->ca_file != NULL)
		curl_easy_setopt(client->curl, CURLOPT_CAINFO, params->ca_file);
	if (params->insecure) {
		curl_easy_setopt(client->curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(client->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	ret = curl_easy_perform(client->curl);
	if (ret != CURLE_OK) {
		client_error_set(error_r, CLIENT_FAIL_CONNECT, "IMAP at %s: %s",
				 address, curl_easy_strerror(ret));
		return NULL;
	}
	curl_easy_getinfo(client->curl, CURLINFO_ACTIVESOCKET, &client->fd);
	if (imap_client_line(client, &line, &len, error_r) < 0)
		return NULL;
	login = talloc_asprintf(client, "LOGIN %s %s",
				imap_quote(client, params->user),
				imap_quote(client, params->password));
	if (imap_client_command(client, client, login, NULL, error_r) < 0)
		return NULL;
	return client;
}
