/**
 * Checks messages of the adapter against the published JSON schema of the Debug Adapter Protocol (test/dap-schema).
 * The schema uses few keywords of JSON Schema, and these are what is implemented; another one is an error here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

const root = JSON.parse(readFileSync(join(__dirname, '../../test/dap-schema/debugAdapterProtocol.json'), 'utf8')) as {
  definitions: Record<string, Schema>;
};

export const definitionNames = Object.keys(root.definitions);

export function definitionNamed(name: string): Schema {
  const schema = root.definitions[name];
  if (schema === undefined) throw new Error(`the protocol's schema has no definition ${name}`);
  return schema;
}

/** Problems of one message that the adapter sent; `command` of the request when it is a response. */
export function checkMessage(message: Readonly<Record<string, unknown>>): string[] {
  const name = definitionOf(message);
  if (name === undefined) return [];
  const schema = root.definitions[name];
  if (schema === undefined) return [`no definition ${name}`];
  return check(message, schema, name);
}

/** Custom messages ('llext/...') have only the general form. */
export function definitionOf(message: Readonly<Record<string, unknown>>): string | undefined {
  const capital = (text: unknown): string => String(text).replace(/^./, (first) => first.toUpperCase());
  const custom = (text: unknown): boolean => String(text).includes('/');
  switch (message['type']) {
    case 'event':
      return custom(message['event']) ? 'Event' : `${capital(message['event'])}Event`;
    case 'response':
      if (message['success'] !== true) return 'ErrorResponse';
      return custom(message['command']) ? 'Response' : `${capital(message['command'])}Response`;
    case 'request':
      return custom(message['command']) ? 'Request' : `${capital(message['command'])}Request`;
    default:
      return 'ProtocolMessage';
  }
}

function check(value: unknown, schema: Schema, path: string): string[] {
  if (schema.$ref !== undefined) {
    return check(value, root.definitions[schema.$ref.replace('#/definitions/', '')], path);
  }
  const problems: string[] = [];
  for (const part of schema.allOf ?? []) problems.push(...check(value, part, path));
  if (schema.oneOf !== undefined && !schema.oneOf.some((option) => check(value, option, path).length === 0)) {
    problems.push(`${path} fits no alternative`);
  }
  if (schema.type !== undefined && ![schema.type].flat().some((type) => hasType(value, type))) {
    return [...problems, `${path} is ${JSON.stringify(value)}, not ${[schema.type].flat().join(' or ')}`];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value))
    problems.push(`${path}: ${String(value)} is not allowed`);
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) problems.push(`${path}: ${value} is too small`);
    if (schema.maximum !== undefined && value > schema.maximum) problems.push(`${path}: ${value} is too large`);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) value.forEach((item, i) => problems.push(...check(item, items, `${path}[${i}]`)));
  } else if (typeof value === 'object' && value !== null) {
    problems.push(...checkObject(value as Record<string, unknown>, schema, path));
  }
  return problems;
}

function checkObject(value: Record<string, unknown>, schema: Schema, path: string): string[] {
  const problems: string[] = [];
  for (const name of schema.required ?? []) if (value[name] === undefined) problems.push(`${path}.${name} is missing`);
  for (const [name, property] of Object.entries(value)) {
    if (property === undefined) continue;
    const known = schema.properties?.[name];
    const { additionalProperties } = schema;
    if (known !== undefined) problems.push(...check(property, known, `${path}.${name}`));
    else if (typeof additionalProperties === 'object')
      problems.push(...check(property, additionalProperties, `${path}.${name}`));
    else if (additionalProperties === false) problems.push(`${path}.${name} is not allowed`);
  }
  return problems;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
