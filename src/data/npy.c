#include "data/npy.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6U
#define HEADER_MOST 65536U
/* The elements start at a multiple of this. */
#define ALIGNMENT 64U

static const struct type_entry {
    const char *descr;
    size_t size;
} types[] = {
#define TYPE_ENTRY(name, descr, size) {descr, size},
    NPY_TYPE_MAP(TYPE_ENTRY)
#undef TYPE_ENTRY
};

/* The part of the header still to be read. */
typedef struct header {
    const char *at, *end;
    bool failed;
} header;

static void skip_blanks(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
        h->at++;
}

static bool next_is(header *h, const char *text) {
    size_t length = strlen(text);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, text, length) != 0)
        return false;
    h->at += length;
    return true;
}

static void expect(header *h, const char *text) {
    if (!next_is(h, text))
        h->failed = true;
}

/* A string in either kind of quotes, without escapes. */
static void read_string(header *h, char *out, size_t size) {
    skip_blanks(h);
    char quote = h->at < h->end ? *h->at++ : 0;
    size_t length = 0;
    while ((quote == '\'' || quote == '"') && h->at < h->end && *h->at != quote && *h->at != '\\' &&
           length + 1 < size)
        out[length++] = *h->at++;
    out[length] = 0;
    if (h->at == h->end || *h->at != quote)
        h->failed = true;
    else
        h->at++;
}

static size_t read_number(header *h) {
    size_t value = 0;
    const char *start = h->at;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
        if (!base_multiply(value, 10, &value) ||
            __builtin_add_overflow(value, (size_t)(*h->at - '0'), &value))
            h->failed = true;
    if (h->at == start)
        h->failed = true;
    return value;
}

/* (), (3,), (3, 4) */
static void read_shape(header *h, npy_array *out) {
    expect(h, "(");
    bool comma = true;
    while (!h->failed && !next_is(h, ")")) {
        skip_blanks(h);
        if (!comma || out->rank == NPY_RANK_MAX) {
            h->failed = true;
            return;
        }
        out->dims[out->rank++] = read_number(h);
        comma = next_is(h, ",");
    }
    if (out->rank == 1 && !comma)
        h->failed = true;
}

/* The three keys, each once, in any order. */
static void read_dictionary(header *h, npy_array *out, char *descr, size_t descr_size,
                            bool *fortran) {
    unsigned seen = 0;
    bool comma = true;
    expect(h, "{");
    while (!h->failed && !next_is(h, "}")) {
        char key[16];
        read_string(h, key, sizeof key);
        expect(h, ":");
        unsigned bit = strcmp(key, "descr") == 0           ? 1U
                       : strcmp(key, "fortran_order") == 0 ? 2U
                       : strcmp(key, "shape") == 0         ? 4U
                                                           : 0U;
        if (!comma || bit == 0 || (seen & bit) != 0)
            h->failed = true;
        seen |= bit;
        if (h->failed)
            return;
        if (bit == 1)
            read_string(h, descr, descr_size);
        else if (bit == 4)
            read_shape(h, out);
        else if (next_is(h, "True"))
            *fortran = true;
        else
            expect(h, "False");
        comma = next_is(h, ",");
    }
    skip_blanks(h);
    if (seen != 7 || h->at != h->end)
        h->failed = true;
}

static admmnn_status find_header(const char *name, base_reader *in, header *h, admmnn_error *err) {
    const uint8_t *magic = base_read_bytes(in, MAGIC_BYTES);
    if (magic == NULL || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "%s: not a NumPy array (.npy)", name);
    unsigned major = base_read_u8(in);
    unsigned minor = base_read_u8(in);
    if (!in->failed && (major < 1 || major > 3 || minor != 0))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: version %u.%u of the format; 1.0 to 3.0 are read", name, major,
                         minor);
    size_t length = major == 1 ? base_read_u16(in) : base_read_u32(in);
    const uint8_t *text = length > HEADER_MOST ? NULL : base_read_bytes(in, length);
    if (text == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "%s: the header ends early", name);
    *h = (header){.at = (const char *)text, .end = (const char *)text + length};
    return ADMMNN_OK;
}

static admmnn_status find_type(const char *name, const char *descr, npy_type *type,
                               admmnn_error *err) {
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        *type = (npy_type)t;
        if (strcmp(descr, types[t].descr) == 0)
            return ADMMNN_OK;
    }
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s: elements of type '%s'; float32, float64, uint8, int32 and int64, "
                     "little-endian, are read (array.astype('<f4'), 'u1' for pixels)",
                     name, descr);
}

admmnn_status npy_parse(const char *name, const uint8_t *bytes, size_t count, npy_array *out,
                        admmnn_error *err) {
    base_reader in = {.bytes = bytes, .count = count};
    header h = {0};
    char descr[16] = "";
    bool fortran = false;
    *out = (npy_array){.count = 1};
    BASE_TRY(find_header(name, &in, &h, err));
    const char *start = h.at;
    read_dictionary(&h, out, descr, sizeof descr, &fortran);
    if (h.failed)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: the header makes no sense at its byte %zu (descr, fortran_order and "
                         "shape are expected)",
                         name, (size_t)(h.at - start));
    BASE_TRY(find_type(name, descr, &out->type, err));
    if (fortran && out->rank > 1)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: Fortran order; save numpy.ascontiguousarray(array)", name);
    size_t size = types[out->type].size;
    for (uint32_t i = 0; i < out->rank; i++)
        if (!base_multiply(out->count, out->dims[i], &out->count))
            return base_fail(err, ADMMNN_CORRUPT, "%s: its shape overflows", name);
    if (!base_multiply(out->count, size, &size) || size != in.count - in.at)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: its shape asks for %zu elements of %zu bytes, %zu bytes follow the "
                         "header",
                         name, out->count, types[out->type].size, in.count - in.at);
    out->elements = bytes + in.at;
    return ADMMNN_OK;
}

double npy_double(const npy_array *array, size_t i) {
    base_reader in = {
        .bytes = array->elements, .count = SIZE_MAX, .at = i * types[array->type].size};
    switch (array->type) {
    case NPY_FLOAT32:
        return (double)base_read_f32(&in);
    case NPY_FLOAT64:
        return base_read_f64(&in);
    case NPY_INT32:
        return (double)(int32_t)base_read_u32(&in);
    case NPY_INT64:
        return (double)(int64_t)base_read_u64(&in);
    default:
        return (double)base_read_u8(&in);
    }
}

float npy_float(const npy_array *array, size_t i) {
    return (float)npy_double(array, i);
}

static void write_header(base_writer *out, const size_t *dims, uint32_t rank, unsigned padding) {
    base_write_text(out, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (uint32_t i = 0; i < rank; i++)
        base_write_text(out, "%zu%s", dims[i], rank == 1 ? "," : i + 1 < rank ? ", " : "");
    base_write_text(out, "), }%*s\n", (int)padding, "");
}

admmnn_status npy_read(const char *path, size_t most, npy_array *array, double **values,
                       admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(path, most, &bytes, &count, err));
    admmnn_status status = npy_parse(path, bytes, count, array, err);
    if (status == ADMMNN_OK) {
        *values = base_array(array->count, sizeof **values);
        if (*values == NULL)
            status = base_fail_memory(err, path);
        for (size_t i = 0; *values != NULL && i < array->count; i++)
            (*values)[i] = npy_double(array, i);
        array->elements = NULL;
    }
    base_free(bytes);
    return status;
}

void npy_write(base_writer *out, const float *elements, const size_t *dims, uint32_t rank) {
    base_writer header = {0};
    write_header(&header, dims, rank, 0);
    size_t before = MAGIC_BYTES + 4 + header.count;
    base_writer_free(&header);
    write_header(&header, dims, rank, (unsigned)((ALIGNMENT - before % ALIGNMENT) % ALIGNMENT));
    base_write_bytes(out, MAGIC, MAGIC_BYTES);
    base_write_u8(out, 1);
    base_write_u8(out, 0);
    base_write_u16(out, (uint16_t)header.count);
    base_write_bytes(out, header.bytes, header.count);
    out->failed |= header.failed;
    base_writer_free(&header);
    size_t count = 1;
    for (uint32_t i = 0; i < rank; i++)
        count *= dims[i];
    for (size_t i = 0; i < count; i++)
        base_write_f32(out, elements[i]);
}
