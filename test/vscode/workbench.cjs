/**
 * The workbench as a person uses it: files of the explorer, keys, the palette, and what the views show as text.
 * Selectors are those of VS Code 1.139.
 */
const { sleep } = require('./runtime.cjs');

class Workbench {
  constructor(page) {
    this.page = page;
    page.setDefaultTimeout(45_000);
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.waitForSelector('.monaco-workbench .explorer-folders-view');
    // From here on what package.json contributes is known: editors, keys, languages.
    await this.page.locator('.activitybar [aria-label^="LLEXT"]').first().waitFor();
  }

  /** Opens `folder/file` by the explorer, as a kept tab. */
  async openFile(path) {
    const names = path.split('/');
    await this.view('Explorer', '.explorer-folders-view');
    for (const [i, name] of names.entries()) {
      const row = this.page
        .locator('.explorer-folders-view .monaco-list-row')
        .filter({ has: this.page.getByText(name, { exact: true }) })
        .first();
      await row.waitFor();
      if (i === names.length - 1) await row.dblclick();
      else if ((await row.getAttribute('aria-expanded')) !== 'true') await row.click();
    }
    await this.page.locator('.tabs-container .tab.active', { hasText: names.at(-1) }).waitFor();
    if (/\.(c|h)$/.test(path)) await this.page.locator('.monaco-editor .view-line').first().waitFor();
  }

  /** Brings a view container of the activity bar to the front. */
  async view(title, selector) {
    if (await this.page.locator(selector).first().isVisible()) return;
    await this.page.locator(`.activitybar [aria-label^="${title}"]`).first().click();
    await this.page.locator('.sidebar .composite.title', { hasText: new RegExp(title, 'i') }).waitFor();
    await this.page.mouse.move(700, 400);
  }

  async palette(command) {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input[type="text"], .quick-input-widget .input').first();
    await input.waitFor();
    await input.fill(`>${command}`);
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: command }).first();
    await row.waitFor();
    await row.click();
  }

  async goToLine(number) {
    await this.page.keyboard.press('Control+g');
    const input = this.page.locator('.quick-input-widget input[type="text"], .quick-input-widget .input').first();
    await input.waitFor();
    await input.fill(`:${number}`);
    await this.page.keyboard.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Opens or closes a section of the view in front. */
  async toggleSection(title, open) {
    const header = this.page.locator('.sidebar .pane-header', { hasText: title }).first();
    await header.waitFor();
    if ((await header.getAttribute('aria-expanded')) !== String(open)) await header.click();
  }

  line(text) {
    return this.page.locator('.monaco-editor .view-line', { hasText: text }).first();
  }

  /** The editor draws its lines anew now and then, so the box may be gone at the first look. */
  async box(locator) {
    await locator.waitFor();
    for (let attempt = 0; attempt < 40; attempt++) {
      const box = await locator.boundingBox().catch(() => null);
      if (box !== null) return box;
      await sleep(50);
    }
    throw new Error('an element of the editor is not shown');
  }

  /** A click into the editor's text, so that keys go there. */
  async focusEditor(text) {
    const box = await this.box(this.line(text));
    await this.page.mouse.click(box.x + 5, box.y + box.height / 2);
  }

  /** The frame of the webview that has `selector` in it, once its stylesheets are there: they decide on the lines. */
  async webview(selector) {
    for (let attempt = 0; attempt < 200; attempt++) {
      for (const frame of this.page.frames()) {
        if (
          await frame
            .locator(selector)
            .count()
            .catch(() => 0)
        ) {
          // VS Code may load the webview anew: the frame that was found first is then gone.
          const isStyled = await frame
            .waitForFunction(
              () => [...document.querySelectorAll('link[rel="stylesheet"]')].every((link) => link.sheet !== null),
              undefined,
              { timeout: 5000 },
            )
            .then(
              () => true,
              () => false,
            );
          if (isStyled) return frame;
        }
      }
      await sleep(100);
    }
    throw new Error(`no webview shows ${selector}`);
  }

  /** Clicks the glyph margin of the line, again when the editor was still moving its lines. */
  async toggleBreakpoint(text) {
    const dots = this.page.locator(
      '.glyph-margin-widgets .codicon-debug-breakpoint, .glyph-margin-widgets .codicon-debug-breakpoint-unverified',
    );
    const before = await dots.count();
    for (let attempt = 0; attempt < 4; attempt++) {
      const line = await this.box(this.line(text));
      const margin = await this.box(this.page.locator('.editor-instance .monaco-editor .margin').first());
      await this.page.mouse.click(margin.x + 10, line.y + line.height / 2);
      for (let wait = 0; wait < 30; wait++) {
        if ((await dots.count()) > before) return;
        await sleep(100);
      }
    }
    throw new Error(`no breakpoint could be set at the line ${text}`);
  }

  /** Middle of `word` in the line on the screen. */
  async wordPosition(text, word) {
    const found = await this.line(text).evaluate((element, name) => {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.textContent.indexOf(name);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + name.length);
        const { x, y, width, height } = range.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
      }
      return undefined;
    }, word);
    if (found === undefined) throw new Error(`${word} is not in the line ${text}`);
    return found;
  }

  /** Moves the pointer over `word` in the line and returns the text of the hover that has `expected` in it. */
  async hover(text, word, expected) {
    const hover = this.page
      .locator('.monaco-hover:visible, .debug-hover-widget:visible', { hasText: expected })
      .first();
    // A busy machine may miss the moment in which the pointer rests, or still move the lines.
    for (let attempt = 0; attempt < 6; attempt++) {
      const target = await this.wordPosition(text, word);
      await this.page.mouse.move(target.x - 40, target.y + 80);
      await sleep(200);
      await this.page.mouse.move(target.x, target.y, { steps: 4 });
      const shown = await hover.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      );
      if (shown) return (await hover.innerText()).replace(/\n+/g, '\n').trim();
    }
    throw new Error(`no hover over ${word} shows ${expected}`);
  }

  /** Texts of a view's rows, one string each, in order; label and description with a bar between. */
  async rows(selector) {
    const texts = await this.page.locator(`${selector} .monaco-list-row`).evaluateAll((elements) =>
      elements
        .map((element) => {
          const parts = ['.label-name', '.label-description'].map((part) => element.querySelector(part)?.innerText);
          const text = parts[0] ? parts.filter(Boolean).join(' | ') : element.innerText;
          return { top: element.getBoundingClientRect().top, text };
        })
        .sort((a, b) => a.top - b.top)
        .map(({ text }) => text),
    );
    return texts.map((text) => text.replace(/\s*\n\s*/g, ' ').trim());
  }

  async waitForRow(selector, text) {
    await this.page.locator(`${selector} .monaco-list-row`).filter({ hasText: text }).first().waitFor();
  }

  async startDebugging() {
    await this.page.keyboard.press('F5');
    await this.page.locator('.debug-toolbar').waitFor();
  }

  async waitForStop() {
    await this.page.locator('.debug-top-stack-frame-line').first().waitFor();
    await this.page.locator('.debug-call-stack .monaco-list-row', { hasText: 'llext_call_fn' }).waitFor();
  }

  /** Line number that the top frame's highlight is on; the editor may still be moving its lines. */
  async stoppedLine() {
    const highlight = this.page.locator('.debug-top-stack-frame-line').first();
    for (let wait = 0; wait < 30; wait++) {
      const line = await highlight.evaluate((mark) => {
        const top = mark.getBoundingClientRect().top;
        const numbers = [...document.querySelectorAll('.margin .line-numbers')];
        return numbers.find((element) => Math.abs(element.getBoundingClientRect().top - top) < 4)?.textContent;
      });
      if (line) return Number(line);
      await sleep(100);
    }
    return undefined;
  }

  /** An entry of the context menu that is open; a menu takes no click in its first moments. */
  async menuItem(text) {
    const item = this.page.locator('.monaco-menu:visible').getByText(text);
    await item.click();
    for (let wait = 0; wait < 30 && (await item.isVisible()); wait++) {
      await sleep(100);
      if (wait % 10 === 9) await item.click();
    }
  }

  callStack() {
    return this.rows('.debug-call-stack');
  }

  /** Rows of the Variables view, with `scope` open and a row that begins with `first` there. */
  async variables(scope, first) {
    const row = this.page.locator('.debug-variables .monaco-list-row', { hasText: scope }).first();
    await row.waitFor();
    if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
    const variable = this.page
      .locator('.debug-variables .monaco-list-row')
      .filter({ hasText: new RegExp(`^${first}\\b`) });
    await variable.first().waitFor();
    await sleep(300);
    return this.rows('.debug-variables');
  }

  async expandVariable(name) {
    const row = this.page.locator('.debug-variables .monaco-list-row').filter({ hasText: new RegExp(`^${name}\\b`) });
    await row.first().locator('.monaco-tl-twistie').click();
    await row.and(this.page.locator('[aria-expanded="true"]')).first().waitFor();
    await sleep(400);
  }

  /** Lines of the Debug Console. */
  async console() {
    const lines = await this.page.locator('.repl .monaco-list-row').allInnerTexts();
    return lines.map((line) =>
      line
        .replaceAll('\u00a0', ' ')
        .replace(/\s*\n\s*/g, ' ')
        .trim(),
    );
  }

  async waitForConsole(text) {
    await this.page.locator('.repl .monaco-list-row', { hasText: text }).first().waitFor();
  }

  async waitForEnd() {
    await this.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  }
}

module.exports = { Workbench };
