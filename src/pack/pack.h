/* The packed model: a graph and, for each parameter, its values as the file
 * holds them. pack_encode and pack_decode are inverse to the bit. */
#ifndef PACK_PACK_H
#define PACK_PACK_H

#include "admm/set.h"
#include "base/context.h"
#include "data/data.h"
#include "graph/graph.h"
#include "onnx/onnx.h"

typedef enum pack_values {
    PACK_FLOAT32, /* values[] as they are */
    PACK_LEVELS   /* codes[] of admm/set.h's levels, scaled by step */
} pack_values;

typedef struct pack_tensor {
    pack_values form;
    admm_levels levels; /* PACK_LEVELS */
    unsigned bits;      /* of one code, PACK_LEVELS */
    float step;         /* q */
    int32_t *codes;     /* [count], 0 where the weight is pruned; NULL for PACK_FLOAT32 */
    float *values;      /* [count]; NULL for PACK_LEVELS */
} pack_tensor;

/* What a value's numbers stand for where they take 8 bits: multiples of scale, from -128 to 127,
 * or from 0 to 255 where it is not signed. scale 0: it has no range. */
typedef struct pack_range {
    float scale; /* of whose bits the lower half is zero */
    bool is_signed;
} pack_range;

/* tensors[g->parameter_count]; all arrays are the model's. original_weights and
 * original_biases: those of the network before compression, all else that it trains being
 * among the biases. tones: how the network wants its input; tones_told: not so where an ONNX file
 * says nothing of it. ranges[g->value_count], of those that vary, or NULL. labels: the names and
 * the metadata of the ONNX file that it was read from; the model's, or NULL. */
typedef struct pack_model {
    graph *g;
    pack_tensor *tensors;
    pack_range *ranges;
    uint64_t original_weights, original_biases;
    data_tones tones;
    bool tones_told;
    onnx_labels *labels;
} pack_model;

/* X(name, text) */
#define PACK_POSITION_MAP(X)                                                                       \
    X(AUTO, "auto")         /* the smallest of those below, layer by layer */                      \
    X(DENSE, "dense")       /* every place has a value */                                          \
    X(RELATIVE, "relative") /* gaps of fixed width, with an escape (Han et al. 2016) */            \
    X(BITMAP, "bitmap")                                                                            \
    X(ENTROPY, "entropy") /* adaptive binary range coder: pack/density.h */

#define PACK_CODER_MAP(X)                                                                          \
    X(AUTO, "auto")                                                                                \
    X(FIXED, "fixed")     /* `bits` bits each */                                                   \
    X(HUFFMAN, "huffman") /* canonical */                                                          \
    X(RANGE, "range")     /* adaptive range coder */

typedef enum pack_position_id {
#define PACK_POSITION_ENUM(name, text) PACK_POSITION_##name,
    PACK_POSITION_MAP(PACK_POSITION_ENUM)
#undef PACK_POSITION_ENUM
} pack_position_id;

typedef enum pack_coder_id {
#define PACK_CODER_ENUM(name, text) PACK_CODER_##name,
    PACK_CODER_MAP(PACK_CODER_ENUM)
#undef PACK_CODER_ENUM
} pack_coder_id;

typedef struct pack_settings {
    pack_position_id positions;
    pack_coder_id values;
    const admmnn_context *context; /* asked at each trial whether to stop; NULL: never */
} pack_settings;

/* Where a file's bits went (those of a batch normalization among the biases'), and the papers'
 * accounting of one parameter. */
typedef struct pack_tensor_report {
    pack_position_id positions;
    pack_coder_id values;
    uint64_t count, kept;
    unsigned bits;             /* of one value before entropy coding; 32 for floats */
    unsigned relative_bits;    /* best width of a relative index, papers' accounting */
    uint64_t relative_entries; /* kept + escapes at that width */
    uint64_t value_bits;       /* in this file, code lengths included */
    uint64_t codebook_bits;    /* the code lengths */
    uint64_t position_bits;    /* in this file */
} pack_tensor_report;

typedef struct pack_report {
    pack_tensor_report *tensors; /* [parameter_count]; the report's */
    uint64_t bytes_values, bytes_positions, bytes_codebooks, bytes_scales, bytes_biases,
        bytes_header, bytes_total;
} pack_report;

/* *bytes is the caller's (base_free). report may be NULL; else fill with
 * pack_report_free afterwards. */
admmnn_status pack_encode(const pack_model *model, const pack_settings *settings, uint8_t **bytes,
                          size_t *count, pack_report *report, admmnn_error *err);
/* What pack_decode looks at first: ADMMNN_CORRUPT unless the magic and the checksum hold. */
admmnn_status pack_check(const uint8_t *bytes, size_t count, admmnn_error *err);
/* ADMMNN_MEMORY, with both figures: the tensors and the vector that is made of them are more
 * than the memory. pack_decode asks before it takes any. */
admmnn_status pack_check_memory(const graph *g, uint64_t memory, admmnn_error *err);
admmnn_status pack_decode(const uint8_t *bytes, size_t count, pack_model **out, pack_report *report,
                          admmnn_error *err);
void pack_report_free(pack_report *report);

/* "auto", "entropy", ...; static storage. */
const char *pack_position_name(pack_position_id id);
const char *pack_coder_name(pack_coder_id id);
/* By name; NULL is AUTO. ADMMNN_USAGE, with the names there are. */
admmnn_status pack_settings_find(const char *positions, const char *values, pack_settings *out,
                                 admmnn_error *err);

/* Whether a file can hold such levels: every code has a value of its own, and a
 * finite one. */
bool pack_levels_are_sound(admm_levels kind, unsigned bits, float step);

admmnn_status pack_model_create(const graph *g, pack_model **out, admmnn_error *err);
void pack_model_free(pack_model *model);
/* params[g->flat_count]: the dense values. */
void pack_model_values(const pack_model *model, float *params);

#endif
