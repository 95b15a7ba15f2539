#include "export/stream.h"

#include <stdlib.h>

#include "base/memory.h"

#define GAP_BITS_MOST 24U

/* Where the numbers come from, one after another. */
typedef struct source {
    const pack_tensor *tensor;
    size_t rows, columns;
    bool turned;
} source;

static size_t element_of(const source *s, size_t i) {
    return s->turned ? i % s->columns * s->rows + i / s->columns : i;
}

static bool is_kept(const source *s, size_t i) {
    const size_t at = element_of(s, i);
    return s->tensor->form == PACK_LEVELS ? s->tensor->codes[at] != 0
                                          : s->tensor->values[at] != 0.0F;
}

/* gaps[count]: the zeros before each number that is kept. */
static uint32_t list_gaps(const source *s, uint32_t *gaps) {
    uint32_t count = 0;
    uint32_t gap = 0;
    for (size_t i = 0; i < s->rows * s->columns; i++) {
        if (!is_kept(s, i)) {
            gap++;
            continue;
        }
        gaps[count++] = gap;
        gap = 0;
    }
    return count;
}

static unsigned best_gap_bits(const source *s, const uint32_t *gaps, uint32_t count) {
    unsigned best = 0;
    uint64_t least = UINT64_MAX;
    if (count == s->rows * s->columns)
        return EXPORT_EVERY_PLACE;
    for (unsigned bits = 0; bits <= GAP_BITS_MOST; bits++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += bits + 1 + (gaps[i] >> bits);
        if (sum < least) {
            least = sum;
            best = bits;
        }
    }
    return best;
}

/* Magnitudes less 1 have so many bits. */
static unsigned bits_of_magnitudes(const source *s) {
    unsigned bits = 0;
    for (size_t i = 0; i < s->rows * s->columns; i++)
        while (abs(s->tensor->codes[i]) > 1 << bits)
            bits++;
    return bits;
}

static void write_gap(bits_writer *out, uint32_t gap, unsigned low) {
    for (uint32_t i = 0; i < gap >> low; i++)
        bits_write(out, 1, 1);
    bits_write(out, 0, 1);
    bits_write(out, gap & ((1U << low) - 1), low);
}

static void write_numbers(const source *s, const uint32_t *gaps, export_stream *stream) {
    uint32_t next = 0;
    for (size_t i = 0; i < s->rows * s->columns; i++) {
        if (!is_kept(s, i))
            continue;
        if (stream->gap_bits != EXPORT_EVERY_PLACE)
            write_gap(&stream->bits, gaps[next], stream->gap_bits);
        if (stream->floats != NULL) {
            stream->floats[next] = s->tensor->values[element_of(s, i)];
        } else {
            const int32_t code = s->tensor->codes[element_of(s, i)];
            bits_write(&stream->bits, code < 0, 1);
            bits_write(&stream->bits, (uint32_t)(abs(code) - 1), stream->magnitude_bits);
        }
        next++;
    }
}

static admmnn_status make_stream(const source *s, uint32_t *gaps, export_stream *stream,
                                 admmnn_error *err) {
    stream->count = list_gaps(s, gaps);
    stream->gap_bits = best_gap_bits(s, gaps, stream->count);
    if (s->tensor->form == PACK_LEVELS) {
        stream->magnitude_bits = bits_of_magnitudes(s);
        stream->doubles = s->tensor->levels == ADMM_LEVELS_POWER_OF_TWO;
        stream->step = s->tensor->step;
    } else {
        stream->floats = base_array(stream->count, sizeof *stream->floats);
        if (stream->floats == NULL)
            return base_fail_memory(err, "the weights of the C code");
    }
    write_numbers(s, gaps, stream);
    return stream->bits.bytes.failed ? base_fail_memory(err, "the weights of the C code")
                                     : ADMMNN_OK;
}

admmnn_status export_stream_make(const pack_tensor *tensor, uint32_t rows, uint32_t columns,
                                 bool turned, export_stream *stream, admmnn_error *err) {
    const source s = {tensor, rows, columns, turned};
    uint32_t *gaps = base_array((size_t)rows * columns, sizeof *gaps);
    *stream = (export_stream){0};
    if (gaps == NULL)
        return base_fail_memory(err, "the weights of the C code");
    const admmnn_status status = make_stream(&s, gaps, stream, err);
    base_free(gaps);
    return status;
}

void export_stream_free(export_stream *stream) {
    base_writer_free(&stream->bits.bytes);
    base_free(stream->floats);
    *stream = (export_stream){0};
}
