/* The run's state as bytes, little-endian:
 *   "ADMMNNCK", u32 version, 64 characters of the recipe's SHA-256, 64 of the
 *   training data's, of a model file 64 of its network's, u64 seed, u32 threads, u64
 *   flat_count, position, scores, seconds, layers, then the vectors (mask, dense, pruned,
 *   importance, active parameters, moments, z, u, what is fixed, the average), those of them
 *   that there are at that position, the log, and the CRC-32 of all before it.
 * Only this program on this machine reads it back; a file of another recipe, other
 * training data, another model file, another seed or number of threads is refused, for
 * the run would not be the same. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "compress/run.h"

static const char magic[8] = {'A', 'D', 'M', 'M', 'N', 'N', 'C', 'K'};
#define VERSION 5
/* Of a checkpoint that no run can go on from: what else the run left would be in the way
 * of another. */
#define START_AGAIN "choose another --out, or remove all that the run left there"
#define CRC_BYTES 4U

/* All bits zero: minus zero is a value of its own, that bytes may stay the same. */
static bool is_blank(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == 0;
}

/* Floats mostly zero (outside the support) cost a byte a run of zeros. */
static void write_floats(base_writer *out, const float *values, size_t count) {
    size_t i = 0;
    while (i < count) {
        size_t zeros = i;
        while (zeros < count && is_blank(values[zeros]))
            zeros++;
        size_t end = zeros;
        while (end < count && !is_blank(values[end]))
            end++;
        base_write_varint(out, zeros - i);
        base_write_varint(out, end - zeros);
        base_write_bytes(out, values + zeros, (end - zeros) * sizeof *values);
        i = end;
    }
}

static void read_floats(base_reader *in, float *values, size_t count) {
    size_t i = 0;
    memset(values, 0, count * sizeof *values);
    while (i < count && !in->failed) {
        uint64_t zeros = base_read_varint(in);
        uint64_t length = base_read_varint(in);
        if (zeros > count - i || length > count - i - zeros || zeros + length == 0) {
            in->failed = true;
            return;
        }
        base_read_into(in, values + i + zeros, (size_t)length * sizeof *values);
        i += (size_t)(zeros + length);
    }
}

/* Lengths of runs, of what is not fixed and what is in turn. */
static void write_fixed(base_writer *out, const uint8_t *fixed, size_t count) {
    size_t i = 0;
    for (uint8_t value = 0; i < count; value ^= 1) {
        size_t end = i;
        while (end < count && fixed[end] == value)
            end++;
        base_write_varint(out, end - i);
        i = end;
    }
}

static void read_fixed(base_reader *in, uint8_t *fixed, size_t count) {
    size_t i = 0;
    for (uint8_t value = 0; i < count && !in->failed; value ^= 1) {
        uint64_t length = base_read_varint(in);
        if (length > count - i || (length == 0 && i > 0)) {
            in->failed = true;
            return;
        }
        memset(fixed + i, value, (size_t)length);
        i += (size_t)length;
    }
}

static void write_position(const compress_run *run, base_writer *out) {
    const run_position *at = &run->at;
    const uint32_t fields[] = {(uint32_t)at->stage, at->round,  at->iteration,
                               at->epoch,           at->stream, at->trained};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        base_write_u32(out, fields[i]);
    const double scores[] = {
        run->scores.dense,  run->scores.before_projection,    run->scores.after_projection,
        run->scores.pruned, run->scores.quantized_projection, run->scores.quantized,
        run_seconds(run)};
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
        base_write_f64(out, scores[i]);
    for (int s = 0; s < RUN_DONE; s++)
        base_write_f64(out, run->stage_seconds[s]);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const run_layer *layer = &run->layers[l];
        base_write_u64(out, layer->target);
        base_write_u32(out, layer->bits);
        base_write_u8(out, layer->fixed_bits);
        base_write_f32(out, layer->step);
        base_write_f32(out, layer->bias_step);
    }
}

static void read_position(compress_run *run, base_reader *in) {
    run_position *at = &run->at;
    at->stage = (run_stage)base_read_u32(in);
    uint32_t *const fields[] = {&at->round, &at->iteration, &at->epoch, &at->stream, &at->trained};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *fields[i] = base_read_u32(in);
    double *const scores[] = {
        &run->scores.dense,  &run->scores.before_projection,    &run->scores.after_projection,
        &run->scores.pruned, &run->scores.quantized_projection, &run->scores.quantized,
        &run->seconds_before};
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
        *scores[i] = base_read_f64(in);
    for (int s = 0; s < RUN_DONE; s++)
        run->stage_seconds[s] = base_read_f64(in);
    for (uint32_t l = 0; l < run->layer_count; l++) {
        run_layer *layer = &run->layers[l];
        layer->target = (size_t)base_read_u64(in);
        layer->bits = base_read_u32(in);
        layer->fixed_bits = base_read_u8(in) != 0;
        layer->step = base_read_f32(in);
        layer->bias_step = base_read_f32(in);
    }
}

static void write_admm(const compress_run *run, base_writer *out) {
    base_write_u8(out, run->admm != NULL);
    if (run->admm == NULL)
        return;
    for (uint32_t l = 0; l < run->layer_count; l++)
        base_write_f32(out, admm_block_at(run->admm, l)->rho);
    write_floats(out, admm_z(run->admm), run->g->flat_count);
    write_floats(out, admm_u(run->admm), run->g->flat_count);
}

static void write_optimizer(const compress_run *run, base_writer *out) {
    const size_t active = run->network->active_count;
    base_write_u8(out, run->optimizer != NULL);
    if (run->optimizer == NULL)
        return;
    base_write_u64(out, *train_optimizer_steps(run->optimizer));
    write_floats(out, train_optimizer_first(run->optimizer), active);
    if (train_optimizer_second(run->optimizer) != NULL)
        write_floats(out, train_optimizer_second(run->optimizer), active);
}

static void write_state(const compress_run *run, base_writer *out) {
    const size_t flat = run->g->flat_count;
    const size_t active = run->network->active_count;
    base_write_bytes(out, magic, sizeof magic);
    base_write_u32(out, VERSION);
    base_write_bytes(out, run->r->sha256, strlen(run->r->sha256));
    base_write_bytes(out, run->data_sha256, strlen(run->data_sha256));
    base_write_bytes(out, run->model_sha256, strlen(run->model_sha256));
    base_write_u64(out, run->r->seed);
    base_write_u32(out, base_pool_threads(run->pool));
    base_write_u64(out, flat);
    write_position(run, out);
    base_write_u8(out, run->sparse);
    base_write_bytes(out, run->mask, flat);
    if (run->dense != NULL)
        write_floats(out, run->dense, flat);
    if (run->pruned != NULL)
        write_floats(out, run->pruned, flat);
    base_write_u8(out, run->importance != NULL);
    if (run->importance != NULL)
        write_floats(out, run->importance, flat);
    base_write_u64(out, active);
    write_floats(out, run->network->params, active);
    write_optimizer(run, out);
    write_admm(run, out);
    base_write_u8(out, run->fixed != NULL);
    if (run->fixed != NULL)
        write_fixed(out, run->fixed, active);
    base_write_u32(out, run->averaged);
    if (run->averaged > 0)
        write_floats(out, run->average, active);
    base_write_u64(out, run->log.count);
    base_write_bytes(out, run->log.bytes, run->log.count);
}

/* What is written, on its way through the checksum. */
typedef struct passage {
    base_writer *out;
    uint32_t crc;
} passage;

static bool pass_on(void *user, const void *bytes, size_t count) {
    passage *p = user;
    p->crc = base_crc32_more(p->crc, bytes, count);
    base_write_bytes(p->out, bytes, count);
    return !p->out->failed;
}

admmnn_status run_snapshot(const compress_run *run, base_writer *out, admmnn_error *err) {
    passage p = {.out = out};
    base_writer state = {.drain = pass_on, .user = &p};
    out->count = 0;
    write_state(run, &state);
    base_writer_flush(&state);
    base_write_u32(out, p.crc);
    base_writer_flush(out);
    const bool whole = !state.failed && !out->failed && !run->log.failed;
    base_writer_free(&state);
    return whole ? ADMMNN_OK : base_fail_memory(err, "a checkpoint");
}

static bool is_next(base_reader *in, const char *digest) {
    const size_t length = strlen(digest);
    const uint8_t *bytes = base_read_bytes(in, length);
    return bytes != NULL && memcmp(bytes, digest, length) == 0;
}

/* What the run is made from. */
static admmnn_status check_sources(const compress_run *run, const char *path, base_reader *in,
                                   admmnn_error *err) {
    if (!is_next(in, run->r->sha256))
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: made from another version of the recipe; restore the recipe or choose "
            "another --out",
            path);
    if (!is_next(in, run->data_sha256))
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: made with other training images than those of %s; restore them or choose "
            "another --out",
            path, run->r->dataset_path);
    if (!is_next(in, run->model_sha256))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: made from another network than that of %s; restore it or choose "
                         "another --out",
                         path, run->r->model_path);
    return ADMMNN_OK;
}

static admmnn_status check_identity(const compress_run *run, const char *path, base_reader *in,
                                    admmnn_error *err) {
    const uint8_t *start = base_read_bytes(in, sizeof magic);
    if (start == NULL || memcmp(start, magic, sizeof magic) != 0 || base_read_u32(in) != VERSION)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: not a checkpoint of this version of admmnn; resume with the version "
                         "that made it, or " START_AGAIN,
                         path);
    BASE_TRY(check_sources(run, path, in, err));
    uint64_t seed = base_read_u64(in);
    if (seed != run->r->seed)
        return base_fail(err, ADMMNN_INPUT, "%s: made with seed %llu; resume with --seed %llu",
                         path, (unsigned long long)seed, (unsigned long long)seed);
    uint32_t threads = base_read_u32(in);
    if (threads != base_pool_threads(run->pool))
        return base_fail(
            err, ADMMNN_INPUT,
            "%s: made with %u threads, whose sums differ in the last bits; resume with "
            "--threads %u",
            path, threads, threads);
    if (base_read_u64(in) != run->g->flat_count)
        return base_fail(err, ADMMNN_CORRUPT, "%s: of a network of another size; " START_AGAIN,
                         path);
    return ADMMNN_OK;
}

/* A vector that is there at the checkpoint's position, of what room there may be already. */
static admmnn_status read_vector(base_reader *in, float **values, size_t count, admmnn_error *err) {
    if (*values == NULL)
        *values = base_array(count, sizeof **values);
    if (*values == NULL)
        return base_fail_memory(err, "the checkpoint's vectors");
    read_floats(in, *values, count);
    return ADMMNN_OK;
}

static admmnn_status read_networks(compress_run *run, base_reader *in, admmnn_error *err) {
    const size_t flat = run->g->flat_count;
    if (run->at.stage > RUN_DENSE)
        BASE_TRY(read_vector(in, &run->dense, flat, err));
    if (run->at.stage > RUN_RETRAIN && run->r->prune.method != RECIPE_PRUNE_NONE)
        BASE_TRY(read_vector(in, &run->pruned, flat, err));
    return base_read_u8(in) != 0 ? read_vector(in, &run->importance, flat, err) : ADMMNN_OK;
}

static admmnn_status read_marks(compress_run *run, base_reader *in, admmnn_error *err) {
    const size_t active = run->network->active_count;
    if (base_read_u8(in) == 0)
        return ADMMNN_OK;
    run->fixed = base_array(active, 1);
    if (run->fixed == NULL)
        return base_fail_memory(err, "the checkpoint's vectors");
    read_fixed(in, run->fixed, active);
    return ADMMNN_OK;
}

static admmnn_status read_optimizer(compress_run *run, const run_position *at, base_reader *in,
                                    admmnn_error *err) {
    /* run_begin makes the stage's optimiser; the position it resets is put back. */
    BASE_TRY(run_begin(run, at->stage, err));
    run->at = *at;
    bool written = base_read_u8(in) != 0;
    if (written != (run->optimizer != NULL))
        in->failed = true;
    if (in->failed || !written)
        return ADMMNN_OK;
    *train_optimizer_steps(run->optimizer) = base_read_u64(in);
    read_floats(in, train_optimizer_first(run->optimizer), run->network->active_count);
    if (train_optimizer_second(run->optimizer) != NULL)
        read_floats(in, train_optimizer_second(run->optimizer), run->network->active_count);
    return ADMMNN_OK;
}

/* Whether a run at this position has an ADMM problem. */
static bool wants_admm(const compress_run *run) {
    if (run->at.stage == RUN_PRUNE_ADMM)
        return run->r->prune.method == RECIPE_PRUNE_ADMM;
    return run->at.stage == RUN_QUANTIZE_ADMM && run->r->quantize.admm.iterations > 0 &&
           run->r->quantize.method == RECIPE_QUANTIZE_ADMM;
}

static admmnn_status read_admm(compress_run *run, base_reader *in, admmnn_error *err) {
    bool has = base_read_u8(in) != 0;
    if (has != wants_admm(run))
        return base_fail(err, ADMMNN_CORRUPT, "the checkpoint's ADMM is not of its stage");
    if (!has)
        return ADMMNN_OK;
    BASE_TRY(run->at.stage == RUN_QUANTIZE_ADMM ? run_quantize_problem(run, err)
                                                : run_prune_problem(run, err));
    for (uint32_t l = 0; l < run->layer_count; l++)
        admm_block_rho_set(run->admm, l, base_read_f32(in));
    read_floats(in, admm_z_mutable(run->admm), run->g->flat_count);
    read_floats(in, admm_u_mutable(run->admm), run->g->flat_count);
    return ADMMNN_OK;
}

/* Bits without levels would be found out by the packing only, hours later. */
static bool bits_make_sense(const compress_run *run, unsigned bits) {
    const recipe_quantize *q = &run->r->quantize;
    if (!q->enabled || run->at.stage <= RUN_RETRAIN)
        return bits == 0;
    return bits >= recipe_least_bits(q->levels) && bits <= admm_levels_most_bits(q->levels);
}

static bool layers_make_sense(const compress_run *run) {
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const run_layer *layer = &run->layers[l];
        if (!bits_make_sense(run, layer->bits) || layer->target > run_weight(run, l)->count ||
            !isfinite(layer->step) || !isfinite(layer->bias_step))
            return false;
    }
    return true;
}

/* Nor would the result be read back with figures that are none. */
static bool scores_make_sense(const compress_run *run) {
    const run_scores *s = &run->scores;
    const double scores[] = {s->dense,  s->before_projection,    s->after_projection,
                             s->pruned, s->quantized_projection, s->quantized};
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
        if (!(scores[i] == -1 || (scores[i] >= 0 && scores[i] <= 1)))
            return false;
    bool right = isfinite(run->seconds_before) && run->seconds_before >= 0;
    for (int i = 0; i < RUN_DONE; i++)
        right = right && isfinite(run->stage_seconds[i]) && run->stage_seconds[i] >= 0;
    return right;
}

/* Epochs of the stretch that the stage and round are in, between two ticks. */
static uint64_t stretch_epochs(const compress_run *run) {
    const recipe *r = run->r;
    switch (run->at.stage) {
    case RUN_DENSE:
        return r->training.epochs;
    case RUN_PRUNE_ADMM:
        return (uint64_t)r->prune.admm.iterations * r->prune.admm.epochs;
    case RUN_RETRAIN:
        return run->at.round + 1 < r->prune.round_count ? r->prune.retrain.epochs
                                                        : r->prune.finish.epochs;
    case RUN_QUANTIZE_ADMM:
        return (uint64_t)r->quantize.admm.iterations * r->quantize.admm.epochs;
    case RUN_QUANTIZE_TRAIN:
        return r->quantize.retrain.epochs;
    default:
        return 0;
    }
}

static uint32_t stretch_iterations(const compress_run *run) {
    if (run->at.stage == RUN_PRUNE_ADMM)
        return run->r->prune.admm.iterations;
    return run->at.stage == RUN_QUANTIZE_ADMM ? run->r->quantize.admm.iterations : 0;
}

static bool position_makes_sense(const compress_run *run) {
    const run_position *at = &run->at;
    const size_t rounds = run->r->prune.round_count;
    return at->stage <= RUN_DONE && at->round < (rounds > 0 ? rounds : 1) &&
           at->epoch <= stretch_epochs(run) && at->iteration <= stretch_iterations(run) &&
           layers_make_sense(run) && scores_make_sense(run);
}

static bool mask_makes_sense(const uint8_t *mask, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (mask[i] > 1)
            return false;
    return true;
}

/* What it claims to hold may be more than there is. */
static void read_log(compress_run *run, base_reader *in) {
    uint64_t left = base_read_u64(in);
    run->log.count = 0;
    while (left > 0 && !in->failed) {
        const size_t piece = left < BASE_PIECE ? (size_t)left : BASE_PIECE;
        const uint8_t *bytes = base_read_bytes(in, piece);
        base_write_bytes(&run->log, bytes, bytes == NULL ? 0 : piece);
        left -= piece;
    }
}

static admmnn_status read_state(compress_run *run, base_reader *in, admmnn_error *err) {
    const size_t flat = run->g->flat_count;
    read_position(run, in);
    const run_position at = run->at;
    run->sparse = base_read_u8(in) != 0;
    base_read_into(in, run->mask, flat);
    if (in->failed || !position_makes_sense(run) || !mask_makes_sense(run->mask, flat))
        return base_fail(err, ADMMNN_CORRUPT, "the checkpoint's position makes no sense");
    BASE_TRY(read_networks(run, in, err));
    if (run->sparse)
        BASE_TRY(train_network_restrict(run->network, run->mask, err));
    if (base_read_u64(in) != run->network->active_count)
        return base_fail(err, ADMMNN_CORRUPT, "the checkpoint's vectors do not fit its mask");
    read_floats(in, run->network->params, run->network->active_count);
    BASE_TRY(read_optimizer(run, &at, in, err));
    BASE_TRY(read_admm(run, in, err));
    BASE_TRY(read_marks(run, in, err));
    run->averaged = base_read_u32(in);
    if (run->averaged > at.epoch)
        return base_fail(err, ADMMNN_CORRUPT, "the checkpoint's average is of epochs to come");
    if (run->averaged > 0)
        BASE_TRY(read_vector(in, &run->average, run->network->active_count, err));
    read_log(run, in);
    if (in->failed)
        return base_fail(err, ADMMNN_CORRUPT, "the checkpoint ends early");
    return run->log.failed ? base_fail_memory(err, "the log") : ADMMNN_OK;
}

/* Whether the last of the bytes are the checksum of all before them. */
static bool is_whole(base_reader all) {
    uint32_t crc = 0;
    while (!all.failed && all.at + CRC_BYTES < all.count) {
        const size_t left = all.count - CRC_BYTES - all.at;
        const size_t piece = left < BASE_PIECE ? left : BASE_PIECE;
        crc = base_crc32_more(crc, base_read_bytes(&all, piece), piece);
    }
    return base_read_u32(&all) == crc && !all.failed;
}

admmnn_status run_restore(compress_run *run, const char *path, const base_reader *bytes,
                          admmnn_error *err) {
    base_reader in = *bytes;
    if (!is_whole(in))
        return base_fail(err, ADMMNN_CORRUPT, "%s: damaged (checksum); " START_AGAIN, path);
    in.count -= CRC_BYTES;
    BASE_TRY(check_identity(run, path, &in, err));
    admmnn_error reason = {0};
    admmnn_status status = read_state(run, &in, &reason);
    if (status != ADMMNN_OK)
        return base_fail(err, status, "%s: %s%s", path, reason.message,
                         status == ADMMNN_CORRUPT ? "; " START_AGAIN : "");
    run->seconds_start = base_seconds();
    return ADMMNN_OK;
}
