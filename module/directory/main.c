/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* mapi-directory: reads the directory, follows its changes and writes
   snapshots of it for mapi-addressbook. */

#include "lib.h"
#include "array.h"
#include "ioloop.h"
#include "lib-event.h"
#include "restrict-access.h"
#include "time-util.h"
#include "master-service.h"
#include "master-service-settings.h"
#include "mapi-directory-settings.h"
#include "directory-client.h"
#include "directory-map.h"
#include "directory-modify.h"
#include "directory-presets.h"
#include "directory-source.h"
#include "snapshot.h"
#include "snapshot-build.h"
#include "source-ldap.h"
#include "source-ldif.h"

/* Changes come in bursts. */
#define DIRECTORY_WRITE_DELAY_MSECS 100
/* After a snapshot couldn't be written */
#define DIRECTORY_RETRY_MSECS (10 * 1000)

static const struct mapi_directory_settings *directory_set;
static struct event *directory_event;
static struct directory_map *directory_map;
static struct directory_source *directory_source;
static struct snapshot_builder *directory_builder;
static struct timeout *to_write;
/* how long the last write took, and when it had ended */
static int last_write_msecs;
static struct timeval last_write_end;
/* entries of the refresh that is going on that couldn't be used */
static unsigned int directory_bad_entries;
static buffer_t *directory_cookie;
static bool directory_written;
static struct directory_modify *directory_modify;

/* --- snapshots -------------------------------------------------------------------- */

static void directory_write(void *context ATTR_UNUSED)
{
	const struct snapshot_info *info;
	struct timeval start;
	unsigned int changes = snapshot_builder_changes(directory_builder);
	const char *error;

	timeout_remove(&to_write);
	io_loop_time_refresh();
	start = ioloop_timeval;
	if (snapshot_builder_write(directory_builder, directory_cookie->data,
				   directory_cookie->used, &error) < 0) {
		e_error(directory_event, "Couldn't write the address book, it "
			"will be tried again: %s", error);
		to_write = timeout_add(DIRECTORY_RETRY_MSECS, directory_write,
				       NULL);
		return;
	}
	io_loop_time_refresh();
	last_write_end = ioloop_timeval;
	last_write_msecs = timeval_diff_msecs(&last_write_end, &start);
	directory_written = TRUE;
	info = snapshot_info(snapshot_builder_current(directory_builder));
	e_info(event_create_passthrough(directory_event)->
	       set_name("mapi_directory_written")->
	       add_int("objects", info->objects_count)->
	       add_int("changes", changes)->
	       add_int("bytes", info->file_size)->
	       add_int("msecs", last_write_msecs)->event(),
	       "Address book written: %u objects, %u changes, %"PRIu64
	       " bytes (%"PRIu64" per object), %d ms",
	       info->objects_count, changes, info->file_size,
	       info->file_size / I_MAX(info->objects_count, 1),
	       last_write_msecs);
}

/* Writing takes at most half of the time, however fast changes come. */
static void directory_write_later(void)
{
	int rest;

	if (to_write != NULL ||
	    (directory_written &&
	     snapshot_builder_changes(directory_builder) == 0))
		return;
	rest = last_write_msecs -
		timeval_diff_msecs(&ioloop_timeval, &last_write_end);
	/* the clock may have been set back */
	rest = I_MIN(rest, last_write_msecs);
	to_write = timeout_add_short(I_MAX(DIRECTORY_WRITE_DELAY_MSECS, rest),
				     directory_write, NULL);
}

/* --- the source -------------------------------------------------------------------- */

static void directory_refresh_begin(void *context ATTR_UNUSED)
{
	directory_bad_entries = 0;
	snapshot_builder_refresh_begin(directory_builder);
}

static void directory_refresh_end(void *context ATTR_UNUSED)
{
	snapshot_builder_refresh_end(directory_builder);
	if (directory_bad_entries > 0) {
		e_warning(directory_event, "%u entries of the directory "
			  "couldn't be used", directory_bad_entries);
	}
}

static void directory_refresh_abort(void *context ATTR_UNUSED)
{
	snapshot_builder_refresh_abort(directory_builder);
}

static void
directory_entry(void *context ATTR_UNUSED, const struct directory_entry *entry)
{
	struct directory_object object;
	const char *error;
	pool_t pool;
	int ret;

	T_BEGIN {
		pool = pool_alloconly_create("directory entry", 4096);
		ret = directory_map_entry(directory_map, entry, pool, &object,
					  &error);
		if (ret > 0)
			snapshot_builder_update(directory_builder, &object);
		else {
			/* it may have been one of the address book */
			if (entry->id != NULL)
				snapshot_builder_remove(directory_builder,
							entry->id);
			if (ret < 0) {
				directory_bad_entries++;
				e_debug(directory_event, "%s: %s", entry->dn,
					error);
			}
		}
		pool_unref(&pool);
	} T_END;
}

static void
directory_removed(void *context ATTR_UNUSED, const unsigned char *id)
{
	snapshot_builder_remove(directory_builder, id);
}

static void
directory_present(void *context ATTR_UNUSED, const unsigned char *id)
{
	snapshot_builder_present(directory_builder, id);
}

static void directory_commit(void *context ATTR_UNUSED, const void *cookie,
			     size_t cookie_size)
{
	buffer_set_used_size(directory_cookie, 0);
	buffer_append(directory_cookie, cookie, cookie_size);
	directory_write_later();
}

static const struct directory_source_callbacks directory_callbacks = {
	.refresh_begin = directory_refresh_begin,
	.refresh_end = directory_refresh_end,
	.refresh_abort = directory_refresh_abort,
	.entry = directory_entry,
	.present = directory_present,
	.removed = directory_removed,
	.commit = directory_commit,
};

static uint32_t directory_property_tag(const char *name)
{
	const struct directory_preset_row *row = directory_preset_rows;

	for (; row->name != NULL; row++) {
		if (strcasecmp(row->name, name) == 0)
			return row->tag;
	}
	i_fatal("mapi_directory_resolve_properties: Unknown property '%s'",
		name);
}

static void directory_init_ldif(void)
{
	if (*directory_set->mapi_ldif_path == '\0')
		i_fatal("mapi_ldif_path is not set");
	directory_source = directory_source_ldif_init(
		directory_set->mapi_ldif_path, directory_event,
		&directory_callbacks, NULL);
}

static void
directory_ldap_connection_settings(struct ldap_connection_settings *conn_r)
{
	const struct mapi_directory_settings *set = directory_set;

	i_zero(conn_r);
	conn_r->uris = t_strsplit_spaces(set->mapi_ldap_uris, " ,");
	if (*conn_r->uris == NULL)
		i_fatal("mapi_ldap_uris is not set");
	conn_r->starttls = set->mapi_ldap_starttls;
	conn_r->ca_file = set->ssl_client_ca_file;
	conn_r->ca_dir = set->ssl_client_ca_dir;
	conn_r->cert_file = set->mapi_ldap_cert_file;
	conn_r->key_file = set->mapi_ldap_key_file;
	conn_r->require_valid_cert = set->ssl_client_require_valid_cert;
	conn_r->auth_dn = set->mapi_ldap_auth_dn;
	/* from a file: "< /etc/dovecot/ldap.password" */
	conn_r->password = t_str_rtrim(set->mapi_ldap_auth_dn_password,
				       "\r\n");
	/* RFC 4513 5.1.2: servers would take it for anonymous */
	if (*conn_r->auth_dn != '\0' && *conn_r->password == '\0' &&
	    *set->mapi_ldap_sasl_mechanism == '\0')
		i_fatal("mapi_ldap_auth_dn_password is not set");
	conn_r->sasl_mech = set->mapi_ldap_sasl_mechanism;
	conn_r->sasl_realm = set->mapi_ldap_sasl_realm;
	conn_r->sasl_authz_id = set->mapi_ldap_sasl_authz_id;
	if (set->mapi_ldap_timeout == 0)
		i_fatal("mapi_ldap_timeout must not be 0");
	conn_r->timeout_secs = set->mapi_ldap_timeout;
}

static void directory_init_ldap(void)
{
	const struct mapi_directory_settings *set = directory_set;
	struct snapshot *snapshot = snapshot_builder_current(directory_builder);
	struct directory_ldap_settings ldap_set;
	const struct snapshot_info *info = NULL;

	if (*set->mapi_ldap_base == '\0')
		i_fatal("mapi_ldap_base is not set");
	i_zero(&ldap_set);
	directory_ldap_connection_settings(&ldap_set.connection);
	ldap_set.base = set->mapi_ldap_base;
	ldap_set.filter = *set->mapi_ldap_filter != '\0' ?
		set->mapi_ldap_filter : directory_map_filter(directory_map);
	ldap_set.attributes = directory_map_attributes(directory_map);
	ldap_set.map_fingerprint = directory_map_fingerprint(directory_map);
	if (set->mapi_ldap_refresh_interval == 0)
		i_fatal("mapi_ldap_refresh_interval must not be 0");
	ldap_set.refresh_interval_secs = set->mapi_ldap_refresh_interval;
	if (strcmp(set->mapi_ldap_follow, "sync") == 0)
		ldap_set.follow = DIRECTORY_LDAP_FOLLOW_SYNC;
	else if (strcmp(set->mapi_ldap_follow, "poll") == 0)
		ldap_set.follow = DIRECTORY_LDAP_FOLLOW_POLL;
	if (snapshot != NULL)
		info = snapshot_info(snapshot);
	directory_source = directory_source_ldap_init(&ldap_set,
		info == NULL ? NULL : info->cookie,
		info == NULL ? 0 : info->cookie_size,
		directory_event, &directory_callbacks, NULL);
	if (set->mapi_ldap_write) {
		directory_modify = directory_modify_init(&ldap_set.connection,
							 directory_map,
							 directory_event);
	}
}

static void directory_init(void)
{
	const struct mapi_directory_settings *set = directory_set;
	struct directory_map_settings map_set;
	struct snapshot_settings snap_set;
	const char *const *names, *error;
	uint32_t tags[32];

	i_zero(&map_set);
	map_set.preset = set->mapi_directory_preset;
	map_set.attributes = set->mapi_directory_attributes;
	map_set.username_attribute = set->mapi_directory_username_attribute;
	map_set.organization = set->mapi_organization;
	if (directory_map_init(&map_set, &directory_map, &error) < 0)
		i_fatal("%s", error);

	i_zero(&snap_set);
	snap_set.path = set->mapi_directory_cache;
	snap_set.locales = t_strsplit_spaces(set->mapi_directory_locales, " ,");
	if (*snap_set.locales == NULL)
		i_fatal("mapi_directory_locales must not be empty");
	names = t_strsplit_spaces(set->mapi_directory_resolve_properties,
				  " ,");
	for (; *names != NULL && snap_set.anr_tags_count < N_ELEMENTS(tags);
	     names++)
		tags[snap_set.anr_tags_count++] =
			directory_property_tag(*names);
	snap_set.anr_tags = tags;
	directory_builder = snapshot_builder_init(&snap_set);
	directory_written = snapshot_builder_current(directory_builder) != NULL;
	directory_cookie = buffer_create_dynamic(default_pool, 128);

	if (strcmp(set->mapi_directory_source, "ldif") == 0)
		directory_init_ldif();
	else
		directory_init_ldap();
}

static void directory_deinit(void)
{
	/* what is known is written, so that nothing is read twice */
	if (to_write != NULL)
		directory_write(NULL);
	timeout_remove(&to_write);
	if (directory_source != NULL)
		directory_source->v.deinit(directory_source);
	snapshot_builder_deinit(&directory_builder);
	directory_map_deinit(&directory_map);
	buffer_free(&directory_cookie);
}

/* --- what clients want ---------------------------------------------------------------- */

static const char *directory_status(void)
{
	struct snapshot *snapshot = directory_builder == NULL ? NULL :
		snapshot_builder_current(directory_builder);
	const struct snapshot_info *info;

	if (snapshot == NULL)
		return "-\tThere's no address book.\n";
	info = snapshot_info(snapshot);
	return t_strdup_printf("+\tobjects=%u\tgeneration=%"PRIu64
		"\tbytes=%"PRIu64"\tbuilt=%"PRIdTIME_T"\tpending=%u\n",
		info->objects_count, info->generation, info->file_size,
		info->build_time, snapshot_builder_changes(directory_builder));
}

static void directory_refresh(void)
{
	if (directory_source != NULL)
		directory_source->v.refresh(directory_source);
}

static void directory_client_connected(struct master_service_connection *conn)
{
	static const struct directory_client_vfuncs v = {
		.status = directory_status,
		.refresh = directory_refresh,
	};

	master_service_client_connection_accept(conn);
	directory_client_create(conn->fd, &v, directory_modify);
}

int main(int argc, char *argv[])
{
	static const struct setting_parser_info *set_roots[] = {
		&mapi_directory_setting_parser_info, NULL
	};
	const char *error;

	master_service = master_service_init("mapi-directory",
		MASTER_SERVICE_FLAG_NO_IDLE_DIE, &argc, &argv, "");
	if (master_getopt(master_service) > 0)
		return FATAL_DEFAULT;
	if (master_service_settings_read_simple(master_service, set_roots,
						&error) < 0)
		i_fatal("Error reading configuration: %s", error);
	master_service_init_log_with_pid(master_service);
	directory_set = master_service_settings_get_others(master_service)[0];
	restrict_access_by_env(RESTRICT_ACCESS_FLAG_ALLOW_ROOT, NULL);
	restrict_access_allow_coredumps(TRUE);

	directory_event = event_create(NULL);
	if (*directory_set->mapi_directory_source != '\0')
		directory_init();
	master_service_init_finish(master_service);
	master_service_run(master_service, directory_client_connected);

	if (directory_modify != NULL)
		directory_modify_deinit(&directory_modify);
	directory_clients_deinit();
	if (directory_builder != NULL)
		directory_deinit();
	event_unref(&directory_event);
	master_service_deinit(&master_service);
	return 0;
}
