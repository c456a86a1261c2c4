# Runs inside of gdb: writes what gdb knows of all file-scope symbols and all functions of an ELF as JSON.
import gdb
import json
import os

KINDS = {
    gdb.TYPE_CODE_PTR: 'pointer', gdb.TYPE_CODE_ARRAY: 'array', gdb.TYPE_CODE_STRUCT: 'struct',
    gdb.TYPE_CODE_UNION: 'union', gdb.TYPE_CODE_ENUM: 'enum', gdb.TYPE_CODE_FUNC: 'function',
    gdb.TYPE_CODE_TYPEDEF: 'typedef', gdb.TYPE_CODE_VOID: 'void',
}


def describe(kind_of, depth):
    code = kind_of.code
    out = {'name': str(kind_of), 'kind': KINDS.get(code, 'base')}
    if code not in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_VOID):
        out['size'] = kind_of.sizeof
    if depth == 0:
        return out
    if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        out['fields'] = [
            [f.name or '', f.bitpos, f.bitsize, describe(f.type, depth - 1)] for f in kind_of.fields()
        ]
    elif code == gdb.TYPE_CODE_ENUM:
        out['values'] = [[f.name, f.enumval] for f in kind_of.fields()]
    elif code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_TYPEDEF):
        out['target'] = describe(kind_of.target(), depth - 1)
    return out


out = {'globals': {}, 'functions': {}}
symtab = gdb.lookup_static_symbol(os.environ['GDB_ANCHOR']) or gdb.lookup_global_symbol(os.environ['GDB_ANCHOR'])
for block in (symtab.symtab.static_block(), symtab.symtab.global_block()):
    for symbol in block:
        if symbol.is_function:
            inner = gdb.block_for_pc(int(symbol.value().address))
            while inner.function is None or inner.function.name != symbol.name:
                inner = inner.superblock
            out['functions'][symbol.name] = {
                'type': str(symbol.type), 'start': inner.start, 'end': inner.end, 'line': symbol.line,
                'arguments': [[s.name, describe(s.type, 1), s.line] for s in inner if s.is_argument],
                'locals': [[s.name, describe(s.type, 1), s.line] for s in inner if s.is_variable],
            }
        elif symbol.is_variable:
            out['globals'][symbol.name] = [describe(symbol.type.unqualified(), 6), str(symbol.type), symbol.line]
print('JSON' + json.dumps(out))
