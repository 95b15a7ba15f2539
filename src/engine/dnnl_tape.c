#include "engine/dnnl_tape.h"

#include "base/memory.h"
#include "engine/place.h"

static admmnn_status fail(admmnn_error *err, dnnl_status_t status, const char *what) {
    if (status == dnnl_out_of_memory)
        return base_fail_memory(err, what);
    return base_fail(err, ADMMNN_BACKEND, "oneDNN failed on %s (its status %d)", what, (int)status);
}

/* The graph has checked its shapes: those that oneDNN calls invalid are too odd for it. */
admmnn_status tape_fail(admmnn_error *err, dnnl_status_t status, const char *what) {
    if (status == dnnl_unimplemented || status == dnnl_invalid_arguments)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "oneDNN does not implement %s: use the back end auto or reference", what);
    return fail(err, status, what);
}

admmnn_status tape_open(tape *t, admmnn_error *err) {
    *t = (tape){0};
    dnnl_status_t status = dnnl_api_open(&t->api);
    return status == dnnl_success ? ADMMNN_OK : fail(err, status, "opening the processor");
}

void tape_close(tape *t) {
    for (size_t c = 0; c < t->call_count; c++)
        if (t->calls[c].primitive != NULL)
            dnnl_primitive_destroy(t->calls[c].primitive);
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        if (t->tensors[i].memory != NULL)
            dnnl_memory_destroy(t->tensors[i].memory);
        dnnl_api_desc_free(t->tensors[i].desc);
    }
    base_free(t->calls);
    base_free(t->arguments);
    base_free(t->executed);
    base_free(t->tensors);
    base_free(t->arena);
    dnnl_api_close(&t->api);
    *t = (tape){0};
}

admmnn_status tape_tensor_add(tape *t, dnnl_api_desc desc, tape_home home, size_t offset,
                              uint32_t *out, admmnn_error *err) {
    tape_tensor *tensors =
        base_array_grow(t->tensors, t->tensor_count, &t->tensor_capacity, sizeof *tensors);
    if (tensors == NULL)
        return base_fail_memory(err, "the tensors of oneDNN");
    t->tensors = tensors;
    tape_tensor *tensor = &tensors[t->tensor_count];
    *tensor =
        (tape_tensor){.home = home, .offset = offset, .origin = TAPE_NONE, .base = t->tensor_count};
    tensor->bytes = dnnl_memory_desc_get_size(desc);
    tensor->birth = SIZE_MAX;
    dnnl_status_t status = dnnl_api_desc_copy(desc, &tensor->desc);
    if (status != dnnl_success)
        return tape_fail(err, status, "describing a tensor");
    *out = t->tensor_count++;
    return ADMMNN_OK;
}

admmnn_status tape_view(tape *t, uint32_t tensor, dnnl_api_desc desc, uint32_t *out,
                        admmnn_error *err) {
    const tape_tensor seen = t->tensors[tensor];
    BASE_TRY(tape_tensor_add(t, desc, seen.home, seen.offset, out, err));
    t->tensors[*out].base = seen.base;
    return ADMMNN_OK;
}

static admmnn_status append_call(tape *t, admmnn_error *err) {
    tape_call *calls = base_array_grow(t->calls, t->call_count, &t->call_capacity, sizeof *calls);
    if (calls == NULL)
        return base_fail_memory(err, "the calls of oneDNN");
    t->calls = calls;
    calls[t->call_count++] = (tape_call){.when = t->when, .first_argument = t->argument_count};
    return ADMMNN_OK;
}

static void live(tape *t, uint32_t tensor, size_t now) {
    tape_tensor *used = &t->tensors[t->tensors[tensor].base];
    if (used->birth > now)
        used->birth = now;
    used->death = now;
}

static admmnn_status use(tape *t, int role, uint32_t tensor, admmnn_error *err) {
    const size_t now = t->call_count - 1;
    tape_call *call = &t->calls[now];
    tape_argument *arguments =
        base_array_grow(t->arguments, t->argument_count, &t->argument_capacity, sizeof *arguments);
    if (arguments == NULL)
        return base_fail_memory(err, "the calls of oneDNN");
    t->arguments = arguments;
    arguments[t->argument_count++] = (tape_argument){role, tensor};
    if (++call->count > t->most_arguments)
        t->most_arguments = call->count;
    live(t, tensor, now);
    if (call->when == TAPE_PREPARE)
        t->tensors[t->tensors[tensor].base].prepared = true;
    else if (t->tensors[t->tensors[tensor].base].prepared)
        t->tensors[t->tensors[tensor].base].birth = 0; /* it stays from pass to pass */
    return ADMMNN_OK;
}

static admmnn_status add_scratch(tape *t, const_dnnl_primitive_desc_t what, admmnn_error *err) {
    dnnl_api_desc desc = dnnl_primitive_desc_query_md(what, dnnl_query_scratchpad_md, 0);
    if (desc == NULL || dnnl_memory_desc_get_size(desc) == 0)
        return ADMMNN_OK;
    uint32_t scratch;
    BASE_TRY(tape_tensor_add(t, desc, TAPE_ARENA, 0, &scratch, err));
    return use(t, DNNL_ARG_SCRATCHPAD, scratch, err);
}

admmnn_status tape_call_add(tape *t, const_dnnl_primitive_desc_t what,
                            const tape_argument *arguments, int count, admmnn_error *err) {
    BASE_TRY(append_call(t, err));
    for (int i = 0; i < count; i++)
        BASE_TRY(use(t, arguments[i].role, arguments[i].tensor, err));
    if (what == NULL)
        return ADMMNN_OK;
    dnnl_status_t status = dnnl_primitive_create(&t->calls[t->call_count - 1].primitive, what);
    if (status != dnnl_success)
        return tape_fail(err, status, "making a primitive");
    return add_scratch(t, what, err);
}

admmnn_status tape_copy(tape *t, uint32_t from, uint32_t to, admmnn_error *err) {
    dnnl_primitive_desc_t what;
    dnnl_status_t status =
        dnnl_api_reorder(&t->api, t->tensors[from].desc, t->tensors[to].desc, &what);
    if (status != dnnl_success)
        return tape_fail(err, status, "a change of format");
    const tape_argument arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    admmnn_status added = tape_call_add(t, what, arguments, 2, err);
    dnnl_primitive_desc_destroy(what);
    return added;
}

admmnn_status tape_reorder(tape *t, uint32_t tensor, dnnl_api_desc desc, uint32_t *out,
                           admmnn_error *err) {
    *out = tensor;
    if (dnnl_memory_desc_equal(t->tensors[tensor].desc, desc))
        return ADMMNN_OK;
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const tape_tensor *copy = &t->tensors[i];
        if (copy->origin == tensor && (t->when & ~copy->when) == 0 &&
            dnnl_memory_desc_equal(copy->desc, desc)) {
            *out = i;
            return ADMMNN_OK;
        }
    }
    BASE_TRY(tape_tensor_add(t, desc, TAPE_ARENA, 0, out, err));
    t->tensors[*out].origin = tensor;
    t->tensors[*out].when = t->when;
    return tape_copy(t, tensor, *out, err);
}

void tape_overwrite(tape *t, uint32_t tensor) {
    const uint32_t base = t->tensors[tensor].base;
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        tape_tensor *copy = &t->tensors[i];
        if (copy->base == base ||
            (copy->origin != TAPE_NONE && t->tensors[copy->origin].base == base))
            copy->origin = TAPE_NONE;
    }
}

/* What is prepared and used later lives as long as the tape. */
static bool stays(const tape_tensor *tensor) {
    return tensor->prepared && tensor->birth == 0;
}

static size_t collect(const tape *t, engine_buffer *buffers, uint32_t *whose) {
    size_t count = 0;
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        const tape_tensor *tensor = &t->tensors[i];
        if (tensor->home != TAPE_ARENA || tensor->base != i || tensor->birth == SIZE_MAX)
            continue;
        const size_t death = stays(tensor) ? t->call_count : tensor->death;
        buffers[count] = (engine_buffer){tensor->bytes, tensor->birth, death, 0};
        whose[count++] = i;
    }
    return count;
}

static admmnn_status plan_arena(tape *t, engine_buffer *buffers, size_t *order, uint32_t *whose,
                                admmnn_error *err) {
    if (buffers == NULL || order == NULL || whose == NULL)
        return base_fail_memory(err, "planning the tensors of oneDNN");
    size_t count = collect(t, buffers, whose);
    t->arena_bytes = engine_place(buffers, count, order);
    for (size_t i = 0; i < count; i++)
        t->tensors[whose[i]].offset = buffers[i].offset / sizeof(float);
    return ADMMNN_OK;
}

admmnn_status tape_plan(tape *t, admmnn_error *err) {
    engine_buffer *buffers = base_array(t->tensor_count, sizeof *buffers);
    size_t *order = base_array(t->tensor_count, sizeof *order);
    uint32_t *whose = base_array(t->tensor_count, sizeof *whose);
    admmnn_status status = plan_arena(t, buffers, order, whose, err);
    base_free(buffers);
    base_free(order);
    base_free(whose);
    return status;
}

static void *place_of(const tape *t, const tape_tensor *tensor, float *gradient) {
    switch (tensor->home) {
    case TAPE_ARENA:
        return t->arena + t->tensors[tensor->base].offset;
    case TAPE_GRADIENT:
        return gradient + tensor->offset;
    case TAPE_PARAMETER: /* known at replay */
    default:
        return NULL;
    }
}

static admmnn_status make_memory(tape *t, float *gradient, admmnn_error *err) {
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        tape_tensor *tensor = &t->tensors[i];
        dnnl_status_t status = dnnl_memory_create(&tensor->memory, tensor->desc, t->api.engine,
                                                  place_of(t, tensor, gradient));
        if (status != dnnl_success)
            return fail(err, status, "making a tensor");
    }
    return ADMMNN_OK;
}

admmnn_status tape_place(tape *t, float *gradient, admmnn_error *err) {
    t->arena = base_array(t->arena_bytes, 1);
    if (t->arena == NULL)
        return base_fail_memory(err, "the tensors of oneDNN");
    t->executed = base_array((size_t)t->most_arguments, sizeof *t->executed);
    if (t->executed == NULL)
        return base_fail_memory(err, "the calls of oneDNN");
    return make_memory(t, gradient, err);
}

/* oneDNN takes no pointer to const; parameters are only ever read. */
admmnn_status tape_bind(tape *t, const float *params, admmnn_error *err) {
    for (uint32_t i = 0; i < t->tensor_count; i++) {
        if (t->tensors[i].home != TAPE_PARAMETER)
            continue;
        dnnl_status_t status = dnnl_memory_set_data_handle(t->tensors[i].memory,
                                                           (void *)(params + t->tensors[i].offset));
        if (status != dnnl_success)
            return fail(err, status, "finding the parameters");
    }
    return ADMMNN_OK;
}

static dnnl_status_t execute(const tape *t, const tape_call *call) {
    const tape_argument *arguments = t->arguments + call->first_argument;
    for (int i = 0; i < call->count; i++)
        t->executed[i] =
            (dnnl_exec_arg_t){arguments[i].role, t->tensors[arguments[i].tensor].memory};
    return dnnl_primitive_execute(call->primitive, t->api.stream, call->count, t->executed);
}

admmnn_status tape_replay(tape *t, size_t first, size_t last, tape_when when, admmnn_error *err) {
    dnnl_status_t status = dnnl_success;
    for (size_t c = first; c < last && status == dnnl_success; c++)
        if (t->calls[c].primitive != NULL && (t->calls[c].when & when) != 0)
            status = execute(t, &t->calls[c]);
    if (status == dnnl_success)
        status = dnnl_stream_wait(t->api.stream);
    return status == dnnl_success ? ADMMNN_OK : fail(err, status, "running the network");
}

float *tape_floats(const tape *t, uint32_t tensor) {
    return t->arena + t->tensors[t->tensors[tensor].base].offset;
}
