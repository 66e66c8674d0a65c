// tools/common/interrupt.h: what happens when a tool is told to stop.
#ifndef DLIR_TOOLS_COMMON_INTERRUPT_H
#define DLIR_TOOLS_COMMON_INTERRUPT_H

#include <pthread.h>
#include <signal.h>

#include "ir/files.h"

typedef struct dl_interrupts {
  dl_temporaries *temporaries;
  sigset_t signals;
  pthread_t thread;
  bool watching;
} dl_interrupts;

// From here on SIGINT, SIGTERM and SIGHUP (those that are not ignored) first remove everything on
// the list `temporaries`, which this makes, and end the process then. A thread waits for them; all
// others, to be started later, have them blocked.
void dl_interrupts_begin(dl_interrupts *watch);
void dl_interrupts_end(dl_interrupts *watch);

// In a process just forked: signals end it as they would any other, and it is killed when its
// parent ends.
void dl_interrupts_in_child(void);

#endif
