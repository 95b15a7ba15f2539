/* Mutations of packed files. Bytes that change in the middle of one often leave a file that
 * ends too early or too late, for every parameter moves what follows it, and always a checksum
 * that does not match. So the checksum is mended, and in some mutants all parameters are drawn and
 * packed anew for the network that the mutation left: those are accepted, and run. */
#include "packed.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "pack/format.h"
#include "pack/pack.h"
#include "pack/range.h"
#include "pack/topology.h"

#define CHECKSUM_BYTES 4U
#define MAGIC_BYTES 4U
/* Parameters that are drawn at most: files have some thousand bytes. */
#define DRAWN_MOST 8192U
/* One mutant in so many stays as it is: of a checksum that does not match, of a large network. */
#define UNMENDED 64U
#define LARGE 16U
/* One in so many has its parameters drawn. */
#define DRAWN 4U
/* Others are tried instead of a large network. */
#define TRIES 4

/* ---- what a mutation left ---- */

static size_t tones_bytes(unsigned flags) {
    if ((flags & PACK_FLAG_INPUT) != 0)
        return 2 * sizeof(float);
    return (flags & PACK_FLAG_INPUTS) != 0 ? 2 * DATA_TONES * sizeof(float) : 0;
}

/* The network that the bytes describe, whatever follows it, or NULL. */
static graph *read_graph(const uint8_t *bytes, size_t count, bool *has_ranges) {
    base_reader in = {.bytes = bytes, .count = count};
    char name[GRAPH_NAME_MAX];
    graph *g = NULL;
    (void)base_read_bytes(&in, MAGIC_BYTES);
    const unsigned version = base_read_u8(&in);
    if (!topology_version_is_known(version) || !topology_read_text(&in, name, sizeof name))
        return NULL;
    (void)base_read_varint(&in);
    (void)base_read_varint(&in);
    const unsigned flags = base_read_u8(&in);
    (void)base_read_bytes(&in, tones_bytes(flags));
    *has_ranges = (flags & PACK_FLAG_RANGES) != 0;
    return !in.failed && topology_read(&in, version, name, &g, NULL) == ADMMNN_OK ? g : NULL;
}

/* ---- drawing ---- */

/* Some of the kinds of levels; floats where a file cannot hold them. */
static void draw_form(base_random *random, pack_tensor *tensor) {
    static const float steps[] = {1.0F, 0.5F, 0.0625F, 0.3F};
    tensor->levels = (admm_levels)base_random_below(random, ADMM_LEVELS_LAST + 1U);
    tensor->bits = 1 + base_random_below(random, base_random_below(random, 8) == 0 ? 12 : 5);
    tensor->step = tensor->levels == ADMM_LEVELS_SIGN ? 1.0F : steps[base_random_below(random, 4)];
    tensor->form = base_random_below(random, 3) != 0 &&
                           pack_levels_are_sound(tensor->levels, tensor->bits, tensor->step)
                       ? PACK_LEVELS
                       : PACK_FLOAT32;
}

static void draw_weight(base_random *random, pack_tensor *tensor, size_t i) {
    const bool negative = base_random_below(random, 2) != 0;
    if (tensor->form == PACK_FLOAT32) {
        tensor->values[i] = base_random_normal(random);
        return;
    }
    const uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    const int32_t code = 1 + (int32_t)base_random_below(random, levels);
    tensor->codes[i] = negative ? -code : code;
}

/* As many as `kept` of 16 are there. Rows that share places with the row before, too. */
static bool draw_tensor(base_random *random, const graph_parameter *parameter,
                        pack_tensor *tensor) {
    const uint32_t kept = base_random_below(random, 17);
    const bool shared = base_random_below(random, 2) != 0;
    const size_t columns = parameter->columns;
    bool *there = base_array(parameter->count, sizeof *there);
    draw_form(random, tensor);
    if (tensor->form == PACK_LEVELS)
        tensor->codes = base_array(parameter->count, sizeof *tensor->codes);
    else
        tensor->values = base_array(parameter->count, sizeof *tensor->values);
    const bool whole = there != NULL && (tensor->codes != NULL || tensor->values != NULL);
    for (size_t i = 0; whole && i < parameter->count; i++) {
        there[i] =
            shared && i >= columns ? there[i - columns] : base_random_below(random, 16) < kept;
        if (there[i])
            draw_weight(random, tensor, i);
    }
    base_free(there);
    return whole;
}

static bool draw_ranges(base_random *random, pack_model *model) {
    model->ranges = base_array(model->g->value_count, sizeof *model->ranges);
    for (uint32_t v = 0; model->ranges != NULL && v < model->g->value_count; v++)
        if (base_random_below(random, 8) != 0)
            model->ranges[v] = range_of(base_random_below(random, 2) != 0 ? -4.0F : 0.0F, 4.0F);
    return model->ranges != NULL;
}

/* The file of the network with parameters of any kind; its bytes, 0 where there are too many. */
static size_t draw(base_random *random, const graph *g, bool has_ranges, uint8_t *to, size_t most) {
    const pack_settings settings = {
        .positions = (pack_position_id)(PACK_POSITION_DENSE + base_random_below(random, 4)),
        .values = (pack_coder_id)(PACK_CODER_FIXED + base_random_below(random, 3))};
    pack_model *model = NULL;
    uint8_t *bytes = NULL;
    size_t count = 0;
    bool whole = pack_model_create(g, &model, NULL) == ADMMNN_OK;
    for (uint32_t p = 0; whole && p < g->parameter_count; p++)
        whole = draw_tensor(random, &g->parameters[p], &model->tensors[p]);
    if (whole && has_ranges)
        whole = draw_ranges(random, model);
    if (!whole || pack_encode(model, &settings, &bytes, &count, NULL, NULL) != ADMMNN_OK ||
        count > most)
        count = 0;
    if (count > 0)
        memcpy(to, bytes, count);
    base_free(bytes);
    pack_model_free(model);
    return count;
}

/* ---- mutations ---- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static void mend_checksum(uint8_t *data, size_t size) {
    if (size < CHECKSUM_BYTES)
        return;
    const uint32_t crc = base_crc32(data, size - CHECKSUM_BYTES);
    memcpy(data + size - CHECKSUM_BYTES, &crc, sizeof crc);
}

/* *g: the network that the mutant describes, or NULL. */
static size_t mutate(const uint8_t *from, size_t size, uint8_t *to, size_t most, graph **g,
                     bool *has_ranges) {
    memcpy(to, from, size);
    const size_t count = LLVMFuzzerMutate(to, size, most);
    *g = read_graph(to, count, has_ranges);
    return count;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    base_random random = base_random_at(seed, 0, 0);
    uint8_t *before = base_array_copy(data, size, 1);
    const bool large = base_random_below(&random, LARGE) == 0;
    bool has_ranges;
    graph *g;
    if (before == NULL)
        return size;
    size_t count = mutate(before, size, data, most, &g, &has_ranges);
    for (int i = 1; i < TRIES && g != NULL && !large && !packed_is_small(g); i++) {
        graph_free(g);
        count = mutate(before, size, data, most, &g, &has_ranges);
    }
    if (g != NULL && g->flat_count <= DRAWN_MOST && base_random_below(&random, DRAWN) == 0) {
        const size_t drawn = draw(&random, g, has_ranges, data, most);
        count = drawn > 0 ? drawn : count;
    }
    if (base_random_below(&random, UNMENDED) != 0)
        mend_checksum(data, count);
    graph_free(g);
    base_free(before);
    return count;
}
