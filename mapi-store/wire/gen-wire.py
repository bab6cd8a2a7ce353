#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes C structs and tables from the *.tsv files: gen-wire.py SRCDIR OUTDIR

Layouts (rops.tsv, mapihttp.tsv, structures.tsv) are fields "Name:type" in wire
order, separated by spaces. Types:

  u8 u16 u32 u64 i32 i64    little-endian
  id GLOBCNT guid           see mapi-value.h
  asciiz utf16z strz(F)     NUL-terminated; strz is utf16z if field F is set
  TypedString PropertyName PropertyTag SortOrder LongTermID
  TaggedPropertyValue PropertyRow RecipientRow Restriction*
  bytes[F] bytes[24]        as many as field F says
  SizedBinary               u32 size and bytes
  size8(n) size16(n)        size in bytes of the next n fields; the encoder
                            finds it out itself
  ascii                     the rest of a sized region, with NUL
  T[F] T[13] T[*]           array: counted, fixed, up to the end of the region
  T*                        in a sized region: pointer, NULL if it is empty
  Any other name            a row of structures.tsv

?(condition) after a type: the field is there only if the C expression over
earlier fields holds. public_logon is the logon's kind.
"""
import os
import re
import sys

LICENSE = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'
SRC, OUT = sys.argv[1], sys.argv[2]


def rows(name):
    with open(os.path.join(SRC, name), encoding='utf-8') as f:
        lines = [line.rstrip('\n').split('\t') for line in f]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def snake(name):
    name = re.sub(r'MIds?(?=[A-Z]|$)', lambda m: m.group(0).title(), name)
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    name = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', name)
    return re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')


def write(name, text):
    with open(os.path.join(OUT, name), 'w', encoding='utf-8') as f:
        f.write(text)


def c_string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def guid_bytes(text):
    h = text.replace('-', '')
    b = bytes.fromhex(h)
    b = b[3::-1] + b[5:3:-1] + b[7:5:-1] + b[8:]
    return ', '.join('0x%02x' % x for x in b)


# --- layouts -----------------------------------------------------------------

# wire type -> (C type, least size on the wire)
SCALARS = {
    'u8': ('uint8_t', 1), 'u16': ('uint16_t', 2), 'u32': ('uint32_t', 4),
    'u64': ('uint64_t', 8), 'i32': ('int32_t', 4), 'i64': ('int64_t', 8),
    'id': ('mapi_id_t', 8), 'GLOBCNT': ('uint64_t', 6),
    'guid': ('struct mapi_guid', 16),
    'asciiz': ('const char *', 1), 'utf16z': ('const char *', 2),
    'TypedString': ('const char *', 1), 'ascii': ('const char *', 0),
    'PropertyTag': ('uint32_t', 4),
    'PropertyName': ('struct mapi_property_name', 17),
    'SortOrder': ('struct mapi_sort_order', 5),
    'LongTermID': ('struct mapi_long_term_id', 24),
    'TaggedPropertyValue': ('struct mapi_property', 4),
    'PropertyRow': ('struct mapi_property_row', 1),
    'RecipientRow': ('struct mapi_recipient_row', 4),
    'SizedBinary': ('struct mapi_binary', 4),
    'Restriction': ('struct mapi_restriction', 1),
}
ENUM_NAMES = {
    'u8': 'U8', 'u16': 'U16', 'u32': 'U32', 'u64': 'U64', 'i32': 'U32',
    'i64': 'U64', 'id': 'ID', 'GLOBCNT': 'GLOBCNT', 'guid': 'GUID',
    'asciiz': 'STRING8', 'utf16z': 'UTF16', 'ascii': 'STRING8_REST',
    'TypedString': 'TYPED_STRING', 'PropertyTag': 'TAG',
    'PropertyName': 'PROPERTY_NAME', 'SortOrder': 'SORT_ORDER',
    'LongTermID': 'LONG_TERM_ID', 'TaggedPropertyValue': 'TAGGED_VALUE',
    'PropertyRow': 'PROPERTY_ROW', 'RecipientRow': 'RECIPIENT_ROW',
    'SizedBinary': 'SIZED_BINARY', 'Restriction': 'RESTRICTION',
}
HEADER = {
    'request': {'RopId': 'hdr.rop_id', 'LogonId': 'hdr.logon_id',
                'InputHandleIndex': 'hdr.input_index',
                'SourceHandleIndex': 'hdr.input_index',
                'OutputHandleIndex': 'hdr.output_index',
                'DestHandleIndex': 'hdr.output_index',
                'ResponseHandleIndex': 'hdr.output_index'},
    'response': {'RopId': 'hdr.rop_id', 'ReturnValue': 'hdr.return_value'},
}
LOCAL = {}      # struct name of structures.tsv -> Layout

ALWAYS, SUCCESS, FAILURE, SPECIAL = 7, 1, 2, 4


class Field:
    def __init__(self, text):
        self.name, rest = text.split(':', 1)
        self.cond = None
        m = re.match(r'(.*?)\?\((.*)\)$', rest)
        if m:
            rest, self.cond = m.group(1), m.group(2)
        self.flag = None
        m = re.match(r'strz\((\w+)\)$', rest)
        if m:
            rest, self.flag = 'strz', m.group(1)
        self.span = 0
        m = re.match(r'size(8|16)\((\d)\)$', rest)
        if m:
            rest, self.span = 'u' + m.group(1), int(m.group(2))
        self.pointer = rest.endswith('*')
        rest = rest.rstrip('*')
        self.array = None
        m = re.match(r'(\w+)\[([^]]+)\]$', rest)
        if m:
            rest, self.array = m.group(1), m.group(2)
        self.type = rest
        self.when = ALWAYS
        self.member = snake(self.name)

    def key(self):
        return (self.name, self.type)


class Layout:
    """A C struct and its table of fields."""

    def __init__(self, cname, name):
        self.cname, self.name = cname, name
        self.fields = []
        self.special = 0
        self.kind = None

    def min_wire(self):
        total = 0
        for f in self.fields:
            if f.cond or f.when != ALWAYS:
                continue
            if f.array and f.array.isdigit():
                total += int(f.array) * elem_min(f)
            elif not f.array and not f.pointer:
                total += elem_min(f)
        return total

    def finish(self):
        if self.kind in HEADER:
            used = set()
            for i, f in enumerate(self.fields):
                member = HEADER[self.kind].get(f.name)
                if self.kind == 'response' and i == 1 and \
                        f.name.endswith('HandleIndex'):
                    member = 'hdr.handle_index'
                if member and member not in used and i < 4:
                    f.member = member
                    used.add(member)
        for f in self.fields:
            if f.array and f.array not in ('*',) and not f.array.isdigit():
                count = self.find(f.array)
                assert count, (self.cname, f.name)

    def find(self, name):
        for f in self.fields:
            if f.name == name:
                return f
        return None

    def c_struct(self):
        out = ['struct %s {' % self.cname]
        if self.kind:
            out.append('\tstruct rop_%s_header hdr;' % self.kind)
        for f in self.fields:
            if f.member.startswith('hdr.'):
                continue
            out.append('\t' + self.c_member(f))
        if len(out) == 1:
            out.append('\tchar unused;')
        out.append('};')
        return '\n'.join(out) + '\n'

    def c_member(self, f):
        ctype = c_type(f)
        sep = '' if ctype.endswith('*') else ' '
        if f.type == 'bytes':
            if f.array.isdigit():
                return 'uint8_t %s[%s];' % (f.member, f.array)
            decl = 'const uint8_t *%s;' % f.member
            if f.array == '*':
                decl = 'uint32_t %s_size;\n\t%s' % (f.member, decl)
            return decl
        if f.array is None:
            if f.pointer:
                return '%s *%s;' % (ctype, f.member)
            return '%s%s%s;' % (ctype, sep, f.member)
        if f.array.isdigit():
            return '%s%s%s[%s];' % (ctype, sep, f.member, f.array)
        decl = '%s%s*%s;' % (ctype, sep, f.member)
        if f.array == '*':
            decl = 'uint32_t %s_count;\n\t%s' % (f.member, decl)
        return decl

    def c_table(self, conditions):
        out = []
        for f in self.fields:
            init = ['.name = "%s"' % f.name,
                    '.offset = offsetof(struct %s, %s)'
                    % (self.cname, f.member)]
            if f.type == 'bytes':
                init.append('.type = WIRE_BYTES')
            elif f.type == 'strz':
                init.append('.type = WIRE_STRZ')
                init.append('.flag = offsetof(struct %s, %s)'
                            % (self.cname, self.find(f.flag).member))
            elif f.type in ENUM_NAMES:
                init.append('.type = WIRE_' + ENUM_NAMES[f.type])
            else:
                init.append('.type = WIRE_STRUCT')
                init.append('.sub = &wire_' + LOCAL[f.type].cname)
            if f.pointer:
                init.append('.pointer = true')
            if f.span:
                init.append('.span = %d' % f.span)
            if f.when != ALWAYS:
                init.append('.when = %d' % f.when)
            if f.array:
                if f.array.isdigit():
                    init.append('.array = WIRE_FIXED')
                    init.append('.count = %s' % f.array)
                elif f.array == '*':
                    suffix = '_size' if f.type == 'bytes' else '_count'
                    init.append('.array = WIRE_REST')
                    init.append('.count = offsetof(struct %s, %s%s)'
                                % (self.cname, f.member, suffix))
                    init.append('.count_width = 4')
                else:
                    c = self.find(f.array)
                    init.append('.array = WIRE_COUNTED')
                    init.append('.count = offsetof(struct %s, %s)'
                                % (self.cname, c.member))
                    init.append('.count_width = %d' % SCALARS[c.type][1])
            if f.type != 'bytes':
                init.append('.elem_size = sizeof(%s)' % c_type(f))
                init.append('.elem_min = %d' % max(1, elem_min(f)))
            if f.cond:
                fn = 'cond_%s_%s' % (self.cname, f.member.replace('.', '_'))
                init.append('.cond = ' + fn)
                expr = re.sub(r'\b[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*\b',
                              lambda m: 's->' + self.find(m.group(0)).member,
                              f.cond)
                expr = expr.replace('public_logon', 'ctx->public_logon')
                conditions.append(
                    'static bool %s(const void *v, '
                    'const struct rop_wire_context *ctx)\n'
                    '{\n\tconst struct %s *s = v;\n\n'
                    '\t(void)s; (void)ctx;\n'
                    '\treturn (%s) != 0;\n}\n' % (fn, self.cname, expr))
            out.append('\t{ ' + ',\n\t  '.join(init) + ' },\n')
        if not self.fields:
            return ('static const struct wire_struct wire_%s = {\n'
                    '\t.name = "%s", .size = sizeof(struct %s),\n};\n'
                    % (self.cname, self.name, self.cname))
        return ('static const struct wire_field fields_%s[] = {\n%s};\n'
                'static const struct wire_struct wire_%s = {\n'
                '\t.name = "%s", .size = sizeof(struct %s),\n'
                '\t.fields = fields_%s, .count = %d,\n%s};\n' % (
                    self.cname, ''.join(out), self.cname, self.name,
                    self.cname, self.cname, len(self.fields), self.status()))

    def status(self):
        """Where the layout depends on success: how that is known."""
        for f in self.fields:
            if f.name in ('ReturnValue', 'StatusCode'):
                text = ('\t.has_status = true,\n'
                        '\t.status = offsetof(struct %s, %s),\n'
                        % (self.cname, f.member))
                if self.special:
                    text += '\t.special_status = 0x%x,\n' % self.special
                return text
        return ''


def c_type(f):
    if f.type in ('strz',):
        return 'const char *'
    if f.type in SCALARS:
        return SCALARS[f.type][0]
    if f.type == 'bytes':
        return 'uint8_t'
    return 'struct ' + LOCAL[f.type].cname


def elem_min(f):
    if f.type == 'strz':
        return 1
    if f.type == 'bytes':
        return 1 if f.array.isdigit() else 0
    if f.type in SCALARS:
        return SCALARS[f.type][1]
    return LOCAL[f.type].min_wire()


def parse(text):
    return [Field(t) for t in text.split()]


def merge(success, failure, special):
    """One list of fields of up to three layouts, each with the cases (bits)
    that it is there in."""
    out = parse(success)
    for f in out:
        f.when = SUCCESS
    for text, bit in ((failure, FAILURE), (special, SPECIAL)):
        pos = 0
        for f in parse(text or ''):
            for i in range(pos, len(out)):
                if out[i].key() == f.key():
                    out[i].when |= bit
                    pos = i + 1
                    break
            else:
                f.when = bit
                out.insert(pos, f)
                pos += 1
    if not special:
        for f in out:
            f.when |= SPECIAL
    for f in out:
        if f.when == SUCCESS | SPECIAL and not special:
            f.when = SUCCESS
    return out


# --- remote operations -------------------------------------------------------

def load_structures():
    for r in rows('structures.tsv'):
        http = r['name'] in ('STAT', 'LargePropertyTagArray',
                             'AddressBookPropertyValueList')
        cname = {'STAT': 'mapihttp_stat',
                 'LargePropertyTagArray': 'mapihttp_tag_array',
                 'AddressBookPropertyValueList': 'mapihttp_property_list',
                 }.get(r['name'], 'rop_' + snake(r['name']))
        lay = Layout(cname, r['name'])
        lay.fields = parse(r['fields'])
        lay.doc = '[%s] %s' % (r['doc'], r['section'])
        lay.http = http
        LOCAL[r['name']] = lay
        lay.finish()


def doc_comment(text):
    return '/* %s */\n' % text


def gen_rops():
    h = [LICENSE, '#ifndef MAPI_ROPS_H\n#define MAPI_ROPS_H\n\n',
         '/* Generated by gen-wire.py from rops.tsv and structures.tsv: the '
         'remote\n   operations, [MS-OXCROPS]. See rop-codec.h for reading and '
         'writing them. */\n\n',
         '#include "rop-codec.h"\n\n', 'enum rop_id {\n']
    c = [LICENSE, '#include "mapi-rops.h"\n#include "mapi-wire-private.h"\n\n']
    rops = rows('rops.tsv')
    for r in rops:
        h.append('\tROP_%s = %s,\n' % (snake(r['name'][3:]).upper(),
                                       r['rop_id']))
    h.append('};\n\n')
    conditions, tables = [], []
    for lay in LOCAL.values():
        if lay.http:
            continue
        h += [doc_comment(lay.doc), lay.c_struct(), '\n']
        tables.append(lay.c_table(conditions))
    codecs = []
    for r in rops:
        base = 'rop_' + snake(r['name'][3:])
        doc = '%s, [%s] %s' % (r['name'], r['layout_doc'], r['layout_section'])
        if r['semantics_doc'] != r['layout_doc']:
            doc += ', [%s]' % r['semantics_doc']
        init = ['.id = %s' % r['rop_id'], '.name = "%s"' % r['name']]
        note = r['note']
        if r['request']:
            lay = Layout(base + '_request', r['name'])
            lay.kind = 'request'
            lay.fields = parse(r['request'])
            lay.finish()
            h += [doc_comment(doc + (':\n   ' + note if note else '')),
                  lay.c_struct()]
            tables.append(lay.c_table(conditions))
            init.append('.request = &wire_' + lay.cname)
            names = [f.name for f in lay.fields[:4]]
            flags = [flag for name, flag in (
                ('InputHandleIndex', 'ROP_INPUT'),
                ('SourceHandleIndex', 'ROP_INPUT'),
                ('OutputHandleIndex', 'ROP_OUTPUT'),
                ('DestHandleIndex', 'ROP_DEST'),
                ('ResponseHandleIndex', 'ROP_RESPONSE')) if name in names]
        else:
            h.append(doc_comment(doc + (':\n   ' + note if note else '')))
            flags = ['ROP_SERVER_ONLY']
        if r['response_success']:
            lay = Layout(base + '_response', r['name'])
            lay.kind = 'response'
            special = r['response_special']
            if special:
                code, special = special.split(' ', 1)
                lay.special = int(code, 16)
            failure = r['response_failure']
            if not r['request'] or failure.startswith('='):
                failure = r['response_success']
            lay.fields = merge(r['response_success'], failure, special)
            lay.finish()
            h.append(lay.c_struct())
            tables.append(lay.c_table(conditions))
            init.append('.response = &wire_' + lay.cname)
            if lay.fields[1].name in ('OutputHandleIndex',
                                      'ResponseHandleIndex'):
                flags.append('ROP_ANSWERS_OUTPUT')
            m = re.match(r'response carries RopId (0x\w+)', note)
            init.append('.response_id = %s'
                        % (m.group(1) if m else r['rop_id']))
        init.append('.flags = ' + ' | '.join(flags))
        codecs.append('\t[%s] = { %s },\n' % (r['rop_id'],
                                              ',\n\t  '.join(init)))
        h.append('\n')
    h.append('#endif\n')
    c += conditions + tables
    c += ['const struct rop_codec rop_codecs[256] = {\n'] + codecs + ['};\n']
    write('mapi-rops.h', ''.join(h))
    write('mapi-rops.c', '\n'.join(c))


# --- MAPI/HTTP bodies --------------------------------------------------------

def gen_http():
    h = [LICENSE, '#ifndef MAPI_HTTP_H\n#define MAPI_HTTP_H\n\n',
         '/* Generated by gen-wire.py from mapihttp.tsv and structures.tsv: '
         'bodies of\n   MAPI over HTTP, [MS-OXCMAPIHTTP] 2.2. See '
         'mapihttp-codec.h for reading and\n   writing them. Has.. fields are '
         'the truth about what follows them, not the\n   pointers. */\n\n',
         '#include "mapihttp-codec.h"\n\n']
    c = [LICENSE, '#include "mapi-http.h"\n#include "mapi-wire-private.h"\n\n']
    conditions, tables, codecs = [], [], []
    for lay in LOCAL.values():
        if lay.http:
            h += [doc_comment(lay.doc), lay.c_struct(), '\n']
            tables.append(lay.c_table(conditions))
    types = {}
    for r in rows('mapihttp.tsv'):
        types.setdefault((r['request_type'], r['endpoint']), {})[r['part']] = r
    for (name, endpoint), parts in types.items():
        base = 'mapihttp_' + snake(name)
        req = parts['request']
        h.append(doc_comment('%s, %s endpoint, [%s] %s' % (
            name, endpoint, req['doc'], req['section'])))
        lay = Layout(base + '_request', name)
        lay.fields = parse(req['fields'])
        lay.finish()
        h.append(lay.c_struct())
        tables.append(lay.c_table(conditions))
        lay = Layout(base + '_response', name)
        ok = parts['response_success']
        if ok['fields']:
            lay.fields = merge(ok['fields'],
                               parts['response_failure']['fields'], '')
        lay.finish()
        h += [lay.c_struct(), '\n']
        tables.append(lay.c_table(conditions))
        where = []
        if 'EMSMDB' in endpoint:
            where.append('MAPIHTTP_EMSMDB')
        if 'NSPI' in endpoint:
            where.append('MAPIHTTP_NSPI')
        codecs.append('\t{ "%s", %s,\n\t  &wire_%s_request,\n'
                      '\t  &wire_%s_response },\n'
                      % (name, ' | '.join(where), base, base))
    h.append('#endif\n')
    c += conditions + tables
    c += ['const struct mapi_aux_layout mapi_aux_layouts[] = {\n']
    count = 0
    for r in rows('aux_blocks.tsv'):
        if r['kind'] != 'AUX':
            continue
        c.append('\t{ %s, %s, "%s",\n\t  %s },\n' % (
            r['type_or_value'], r['version'], r['structure'],
            '\n\t  '.join(c_string(f + ' ') for f in r['fields'].split())))
        count += 1
    c += ['};\nconst unsigned int mapi_aux_layouts_count = %d;\n' % count]
    c += ['const struct mapihttp_codec mapihttp_codecs[] = {\n'] + codecs
    c += ['};\nconst unsigned int mapihttp_codecs_count =\n'
          '\tsizeof(mapihttp_codecs) / sizeof(mapihttp_codecs[0]);\n']
    write('mapi-http.h', ''.join(h))
    write('mapi-http.c', '\n'.join(c))


# --- errors ------------------------------------------------------------------

def gen_errors():
    entries, used, aliases = [], {}, {}
    table = rows('errors.tsv')
    for r in table:
        code = int(r['code'], 16)
        names = [n[2:] for n in r['alt_names'].split() if
                 re.match(r'ec[A-Z]', n)]
        if code == 0:
            names.reverse()     # EC_NONE
        if r['name']:
            names += [r['name']] + r['other_names'].split()
        names = [snake(n).upper() for n in names]
        names += [re.sub(r'^(MAPI_[EW]_|SYNC_[EW]_|STG_E_)', '', n).upper()
                  for n in r['alt_names'].split()
                  if re.match(r'(MAPI|SYNC)_[EW]_', n)]
        r['names'] = names
        r['num'] = code
    # whoever has a name as its own ec* name keeps it; then first come
    owner = {}
    for level in range(12):
        for r in table:
            if level < len(r['names']):
                owner.setdefault(r['names'][level], r['num'])
    out = [LICENSE, '#ifndef MAPI_ERRORS_H\n#define MAPI_ERRORS_H\n\n',
           '/* Generated by gen-wire.py from errors.tsv: error and warning '
           'codes,\n   [MS-OXCDATA] 2.4. A code may have several names; the '
           'first is the ec* name of\n   the specification where there is '
           'one. */\n\n#include <stdint.h>\n\nenum mapi_error {\n']
    seen_names = []
    for r in table:
        mine = [n for n in dict.fromkeys(r['names'])
                if owner[n] == r['num']]
        first = True
        for n in mine:
            out.append('\tEC_%s = 0x%08xU,%s\n' % (
                n, r['num'], '\t/* %s */' % r['meaning']
                if first and r['meaning_source'] == 'written' else ''))
            first = False
        if mine:
            seen_names.append((r['num'], 'EC_' + mine[0]))
    out.append('};\n\n/* "EC_NOT_FOUND"; NULL for a code that has no name. */\n'
               'const char *mapi_error_name(uint32_t code);\n\n#endif\n')
    write('mapi-errors.h', ''.join(out))
    seen_names.sort()
    c = [LICENSE, '#include "mapi-errors.h"\n\n#include <stddef.h>\n\n'
         'static const struct {\n\tuint32_t code;\n\tconst char *name;\n'
         '} errors[] = {\n']
    for code, name in seen_names:
        c.append('\t{ 0x%08xU, "%s" },\n' % (code, name))
    c.append('};\n\nconst char *mapi_error_name(uint32_t code)\n{\n'
             '\tsize_t left = 0, right = sizeof(errors) / sizeof(errors[0]);\n'
             '\n\twhile (left < right) {\n'
             '\t\tsize_t mid = (left + right) / 2;\n\n'
             '\t\tif (errors[mid].code == code)\n'
             '\t\t\treturn errors[mid].name;\n'
             '\t\tif (errors[mid].code < code)\n\t\t\tleft = mid + 1;\n'
             '\t\telse\n\t\t\tright = mid;\n\t}\n\treturn NULL;\n}\n')
    write('mapi-errors.c', ''.join(c))


# --- properties --------------------------------------------------------------

def gen_props():
    h = [LICENSE, '#ifndef MAPI_PROPS_H\n#define MAPI_PROPS_H\n\n',
         '/* Generated by gen-wire.py from properties.tsv, '
         'properties_extra.tsv and\n   property_sets.tsv, [MS-OXPROPS].\n\n'
         '   PIDTAG_X is the property tag. Named properties: PIDLID_X is the '
         'LID or\n   PIDNAME_X the name, .._PSET the property set (a struct '
         'mapi_guid), .._TYPE the\n   type. */\n\n',
         '#include "mapi-property-info.h"\n\n']
    c = [LICENSE, '#include "mapi-props.h"\n\n#include "mapi-wire-private.h"'
         '\n\n']
    sets = {}
    for r in rows('property_sets.tsv'):
        if re.match(r'(PS_|PSETID_)\w+$', r['name']):
            name = r['name'] if r['name'].isupper() else \
                'PSETID_' + snake(r['name'][7:]).upper()
            sets[r['guid'].upper()] = name
            h.append('extern const struct mapi_guid %s;\t/* %s */\n'
                     % (name, r['note']))
            c.append('const struct mapi_guid %s = { {\n\t%s\n} };\n'
                     % (name, guid_bytes(r['guid'])))
    h.append('\n')
    tags, named, used = {}, [], set()
    for r in rows('properties.tsv'):
        kind, name = r['kind'], r['canonical_name']
        ident = {'tag': 'PIDTAG_', 'lid': 'PIDLID_', 'name': 'PIDNAME_'}[kind]
        ident += snake(re.sub('^Pid(Tag|Lid|Name)', '', name)).upper()
        assert ident not in used, ident
        used.add(ident)
        if kind == 'tag':
            tag = int(r['prop_tag'].split()[0], 16)
            h.append('#define %s 0x%08xU\n' % (ident, tag))
            rank = r['status'] != 'current'
            if tag >> 16 not in tags or tags[tag >> 16][0] > rank:
                tags[tag >> 16] = (rank, tag, name, r['computed'])
            continue
        ptype = int(r['type'].split()[0], 16)
        value = r['lid'] if kind == 'lid' else c_string(r['string_name'])
        h.append('#define %s %s\n#define %s_PSET %s\n#define %s_TYPE 0x%04x\n'
                 % (ident, value, ident, sets[r['guid'].upper()], ident,
                    ptype))
        named.append((guid_bytes(r['guid']), kind, r['lid'] or '0',
                      r['string_name'], name, ptype,
                      sets[r['guid'].upper()]))
    for r in rows('properties_extra.tsv'):
        name = r['canonical_name'] or r['pr_name']
        if not r['prop_tag'] or not r['canonical_name']:
            continue
        ident = 'PIDTAG_' + snake(re.sub('^PidTag', '', name)).upper()
        if ident in used:
            continue
        used.add(ident)
        tag = int(r['prop_tag'].split()[0], 16)
        h.append('#define %s 0x%08xU\n' % (ident, tag))
        if tag >> 16 not in tags:
            tags[tag >> 16] = (2, tag, name, r['computed'])
    h.append('\n#endif\n')
    c.append('const struct mapi_property_info mapi_property_infos[] = {\n')
    for pid in sorted(tags):
        _, tag, name, computed = tags[pid]
        server = re.match(r'server|computed|derived: entry', computed)
        ro = 'read-only' in computed and 'others settable' not in computed
        c.append('\t{ 0x%08xU, "%s", %s, %s },\n' % (
            tag, name, 'true' if server else 'false',
            'true' if ro else 'false'))
    c.append('};\nconst unsigned int mapi_property_infos_count = %d;\n\n'
             % len(tags))
    c.append('const struct mapi_named_property_info '
             'mapi_named_property_infos[] = {\n')
    # "lid" before "name", as the values of enum mapi_name_kind are
    for g, kind, lid, string, name, ptype, pset in sorted(
            named, key=lambda n: (n[0], n[1], int(n[2], 16), n[3].lower())):
        c.append('\t{ &%s, MAPI_NAME_%s, %s, %s, 0x%04x, "%s" },\n' % (
            pset, 'LID' if kind == 'lid' else 'STRING', lid,
            c_string(string) if string else 'NULL', ptype, name))
    c.append('};\nconst unsigned int mapi_named_property_infos_count = %d;\n'
             % len(named))
    write('mapi-props.h', ''.join(h))
    write('mapi-props.c', ''.join(c))


# --- enums -------------------------------------------------------------------

def gen_enums():
    h = [LICENSE, '#ifndef MAPI_ENUMS_H\n#define MAPI_ENUMS_H\n\n',
         '/* Generated by gen-wire.py from enums.tsv: flags and enumerations '
         'that have no\n   hand-written header of their own. */\n']
    last = None
    for r in rows('enums.tsv'):
        if not r['c_name']:
            continue
        if r['enum'] != last:
            h.append('\n/* %s, [%s] */\n' % (r['enum'],
                                             r['doc'].strip('()')))
            last = r['enum']
        value = r['value'] + 'U'
        if len(r['value']) > 10:
            value += 'LL'
        h.append('#define %s %s\n' % (r['c_name'], value))
    h.append('\n#endif\n')
    write('mapi-enums.h', ''.join(h))


load_structures()
gen_errors()
gen_props()
gen_rops()
gen_http()
gen_enums()
