/**
 * What of the protocol has really passed between a client and the adapter: requests that were answered with success, events,
 * capabilities, and which properties of the schema's types were there in the adapter's messages.
 */
import { definitionNamed, definitionOf, type Schema } from './dap-schema';

type Json = Readonly<Record<string, unknown>>;

export class Traffic {
  readonly requests = new Set<string>();
  readonly events = new Set<string>();
  /** With the first and the newest value of each. */
  readonly capabilities = new Map<string, unknown>();
  /** 'StackFrame.moduleId' */
  readonly properties = new Set<string>();

  note(message: object): void {
    const { type, event, command, success, body } = message as Json;
    if (type === 'event') this.events.add(String(event));
    if (type === 'response' && success === true) this.requests.add(String(command));
    if (command === 'initialize')
      for (const [name, value] of Object.entries(body as Json)) this.capabilities.set(name, value);
    const definition = definitionOf(message as Json);
    if (definition !== undefined) this.walk(message, definitionNamed(definition), definition);
  }

  /** `owner`: the definition that an object is of, or the place in one of an object without a name. */
  private walk(value: unknown, schema: Schema, owner: string): void {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace('#/definitions/', '');
      this.walk(value, definitionNamed(name), name);
      return;
    }
    for (const part of schema.allOf ?? []) this.walk(value, part, owner);
    if (Array.isArray(value)) {
      for (const item of value) if (schema.items !== undefined) this.walk(item, schema.items, owner);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        const found = (value as Json)[name];
        if (found === undefined) continue;
        const own = name === 'body' ? owner : `${owner}.${name}`;
        if (name !== 'body') this.properties.add(own);
        this.walk(found, property, own);
      }
    }
  }
}

/** The properties that objects of the adapter's messages may have, by definition, as `Traffic` names them. */
export function propertiesOf(definition: string, known = new Set<string>()): Set<string> {
  const visit = (schema: Schema, owner: string): void => {
    if (schema.$ref !== undefined) {
      propertiesOf(schema.$ref.replace('#/definitions/', ''), known);
      return;
    }
    for (const part of schema.allOf ?? []) visit(part, owner);
    if (schema.items !== undefined) visit(schema.items, owner);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const own = name === 'body' ? owner : `${owner}.${name}`;
      if (known.has(own)) continue;
      if (name !== 'body') known.add(own);
      visit(property, own);
    }
  };
  visit(definitionNamed(definition), definition);
  return known;
}
