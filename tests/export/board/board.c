/* The start of a program on the board, files of the host by semihosting, and the count of
 * instructions: with -icount shift=0 QEMU's time is one nanosecond an instruction, and the
 * SysTick timer counts 25 million ticks a second. */
#include "program.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88U)
#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define INSTRUCTIONS_A_TICK 40U

enum { SYS_OPEN = 0x01, SYS_WRITE0 = 0x04, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };

extern uint32_t board_stack[];
void board_start(void);

const void *const board_vectors[16]
    __attribute__((section(".vectors"), used)) = {board_stack, (const void *)board_start};

static uint32_t ask_host(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t status) {
    const uint32_t block[2] = {0x20026U, status}; /* the application's end */
    (void)ask_host(SYS_EXIT_EXTENDED, block);
}

uint32_t program_open(void) {
    static const char name[] = "images.bin";
    const uint32_t block[3] = {(uint32_t)name, 1U, sizeof name - 1U}; /* rb */
    return ask_host(SYS_OPEN, block);
}

int program_read(uint32_t file, uint8_t *bytes, uint32_t count) {
    const uint32_t block[3] = {file, (uint32_t)bytes, count};
    return ask_host(SYS_READ, block) == 0U; /* bytes that are missing */
}

void program_print(const char *text) {
    (void)ask_host(SYS_WRITE0, text);
}

uint32_t program_instructions(void) {
    return (0xFFFFFFU - SYST_CVR) * INSTRUCTIONS_A_TICK;
}

void board_start(void) {
    CPACR |= 0xFU << 20; /* floating point */
    SYST_RVR = 0xFFFFFFU;
    SYST_CVR = 0U;
    SYST_CSR = 5U;
    while (SYST_CVR == 0U) /* until the first tick */
        continue;
    leave((uint32_t)program_main());
    for (;;)
        continue;
}
