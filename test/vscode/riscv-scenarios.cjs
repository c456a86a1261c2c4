/** A RISC-V extension is debugged by F5 like an Arm one: the ELF in front is debugged, the breakpoint is in the C file that both CPUs' ELFs share. */
const assert = require('node:assert/strict');
const { markedLine } = require('./ui-scenarios.cjs');

function scenario(width, theme, details) {
  return {
    title: `F5 on a ${width}-bit RISC-V extension: stop, registers, disassembly, end`,
    theme,
    run: async (workbench) => {
      await workbench.openFile('hello/hello.c');
      await workbench.toggleBreakpoint('#BP1');
      await workbench.openFile(`riscv/hello.rv${width}imac.llext`);
      await workbench.webview('h1');
      await workbench.page.keyboard.press('F5');
      await workbench.waitForStop();
      const line = markedLine('hello/hello.c', 'BP1');
      assert.equal(await workbench.stoppedLine(), line);
      const lines = (await workbench.callStack()).map((row) => row.replace(/:\d+$/, ''));
      const caller = markedLine('hello/hello.c', 'BP3');
      assert.deepEqual(lines, [`greet hello.c ${line}`, `entry hello.c ${caller}`, 'llext_call_fn Unknown Source 0']);
      await workbench.toggleSection('Watch', false);
      await workbench.toggleSection('Breakpoints', false);
      const rows = await workbench.variables('Registers', 'ra');
      const registers = rows.slice(rows.indexOf('Registers') + 1);
      for (const pattern of details.registers) {
        assert.ok(
          registers.some((row) => pattern.test(row)),
          `${pattern}: ${registers.join('\n')}`,
        );
      }
      await workbench.palette('Open Disassembly View');
      await workbench.page.getByText(details.code).first().waitFor();
      await workbench.shot(`riscv${width}`);
      await workbench.palette('Remove All Breakpoints');
      await workbench.palette('Continue');
      await workbench.waitForEnd();
      const output = await workbench.console();
      assert.ok(output.some((text) => text.startsWith("entry 'entry' of llext 'hello.rv")));
      assert.ok(output.some((text) => text.startsWith('3 greetings')));
    },
  };
}

const riscvScenarios = [
  scenario(32, 'dark', { registers: [/^ra = 0x[0-9a-f]{8}\b/, /^sp = 0x[0-9a-f]{8}\b/], code: /\b(jalr|auipc)\b/ }),
  scenario(64, 'light', { registers: [/^ra = 0x[0-9a-f]{16}\b/, /^sp = 0x[0-9a-f]{16}\b/], code: /\b(jalr|auipc)\b/ }),
];

module.exports = { riscvScenarios };
