// predicates.h: the predicates of arith.cmpi and arith.cmpf, by number, as LLVM's.
#ifndef DLIR_TARGETS_LLVM_PREDICATES_H
#define DLIR_TARGETS_LLVM_PREDICATES_H

#include <llvm-c/Core.h>

static const LLVMIntPredicate dl_int_predicates[] = {LLVMIntEQ,  LLVMIntNE,  LLVMIntSLT, LLVMIntSLE,
                                                     LLVMIntSGT, LLVMIntSGE, LLVMIntULT, LLVMIntULE,
                                                     LLVMIntUGT, LLVMIntUGE};

static const LLVMRealPredicate dl_float_predicates[] = {LLVMRealPredicateFalse,
                                                        LLVMRealOEQ,
                                                        LLVMRealOGT,
                                                        LLVMRealOGE,
                                                        LLVMRealOLT,
                                                        LLVMRealOLE,
                                                        LLVMRealONE,
                                                        LLVMRealORD,
                                                        LLVMRealUEQ,
                                                        LLVMRealUGT,
                                                        LLVMRealUGE,
                                                        LLVMRealULT,
                                                        LLVMRealULE,
                                                        LLVMRealUNE,
                                                        LLVMRealUNO,
                                                        LLVMRealPredicateTrue};

#endif
