"""Writes a module of many functions with something to do in each.

Usage: many_functions.py COUNT
"""
import sys

count = int(sys.argv[1])
for i in range(count):
    print(f"func.func @f{i}(%x: i32, %c: i1) -> i32 {{")
    print(f"  %a = arith.constant {i} : i32\n  %b = arith.constant {i + 1} : i32\n  %s = arith.addi %a, %b : i32")
    for k in range(i % 7):
        print(f"  %t{k} = arith.muli %x, %s : i32\n  %u{k} = arith.muli %x, %s : i32")
    print("  cf.cond_br %c, ^a, ^b\n^a:\n  return %s : i32\n^b:")
    last = f"%u{i % 7 - 1}" if i % 7 else "%x"
    print(f"  %r = func.call @f{(i * 31) % count}({last}, %c) : (i32, i1) -> i32\n  return %r : i32\n}}")
