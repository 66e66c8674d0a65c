#include "tools/common/interrupt.h"

#include <sys/prctl.h>
#include <unistd.h>

static void *wait_for_signal(void *user) {
  dl_interrupts *watch = user;
  int signal_number = 0;
  if (sigwait(&watch->signals, &signal_number)) return NULL;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  dl_temporaries_remove_all(watch->temporaries);
  signal(signal_number, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &watch->signals, NULL);
  raise(signal_number);
  return NULL;
}

static void add_unless_ignored(sigset_t *set, int signal_number) {
  struct sigaction action;
  if (!sigaction(signal_number, NULL, &action) && action.sa_handler != SIG_IGN)
    sigaddset(set, signal_number);
}

void dl_interrupts_begin(dl_interrupts *watch) {
  *watch = (dl_interrupts){.temporaries = dl_temporaries_create()};
  sigemptyset(&watch->signals);
  add_unless_ignored(&watch->signals, SIGINT);
  add_unless_ignored(&watch->signals, SIGTERM);
  add_unless_ignored(&watch->signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &watch->signals, NULL);
  watch->watching = pthread_create(&watch->thread, NULL, wait_for_signal, watch) == 0;
  if (!watch->watching) pthread_sigmask(SIG_UNBLOCK, &watch->signals, NULL);
}

void dl_interrupts_end(dl_interrupts *watch) {
  if (watch->watching) {
    pthread_cancel(watch->thread);
    pthread_join(watch->thread, NULL);
  }
  dl_temporaries_destroy(watch->temporaries);
}

void dl_interrupts_in_child(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}
