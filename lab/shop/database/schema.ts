// The shop's tables and the goods in them. Made anew when the file is not there; the past orders are what reports and
// "bought together" chew on, so there are enough of them to make a missing index hurt.
import type { DatabaseSync } from 'node:sqlite'

const PRODUCTS = 240
const PAST_ORDERS = 8_000
const LINES_AN_ORDER = 3

const TABLES = `
  CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL, description TEXT NOT NULL);
  CREATE TABLE stock (product INTEGER PRIMARY KEY, quantity INTEGER NOT NULL);
  CREATE TABLE cart_lines (cart TEXT, product INTEGER, quantity INTEGER, price INTEGER, PRIMARY KEY (cart, product));
  CREATE TABLE orders (id TEXT PRIMARY KEY, customer INTEGER NOT NULL, cents INTEGER NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE order_lines (order_id INTEGER NOT NULL, product INTEGER NOT NULL, amount INTEGER NOT NULL);
`

const GOODS = [
  'tea',
  'coffee',
  'cup',
  'kettle',
  'honey',
  'biscuit',
  'spoon',
  'tray',
  'jar',
  'filter',
  'blanket',
  'lamp',
]
const MAKES = ['green', 'black', 'small', 'large', 'wooden', 'steel', 'plain', 'fine', 'old', 'new']

/** Every index by name. A release of the database may run without one. */
const INDEXES: Readonly<Record<string, string>> = {
  orders_by_customer: 'orders (customer)',
  order_lines_by_order: 'order_lines (order_id)',
  order_lines_by_product: 'order_lines (product)',
}

export function prepareDatabase(db: DatabaseSync, withoutIndex: string | undefined): void {
  // The lab's data is worth nothing after a power cut; waiting for the disk would only make the machine slow.
  // No indexes on the fly: a missing one must hurt as it would in a server under load.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA automatic_index = OFF')
  const made = db.prepare(`SELECT count(*) AS tables FROM sqlite_master WHERE name = 'products'`).get()
  if (made?.tables === 0) fill(db)
  for (const [name, on] of Object.entries(INDEXES)) {
    db.exec(name === withoutIndex ? `DROP INDEX IF EXISTS ${name}` : `CREATE INDEX IF NOT EXISTS ${name} ON ${on}`)
  }
}

function fill(db: DatabaseSync): void {
  db.exec('BEGIN')
  db.exec(TABLES)
  const product = db.prepare('INSERT INTO products (id, name, price, description) VALUES (?, ?, ?, ?)')
  const stock = db.prepare('INSERT INTO stock (product, quantity) VALUES (?, 1000)')
  for (let id = 1; id <= PRODUCTS; id++) {
    const name = `${MAKES[id % MAKES.length]} ${GOODS[id % GOODS.length]} no. ${id}`
    product.run(id, name, 150 + ((id * 37) % 4000), `A ${name}, as you would expect it.`)
    stock.run(id)
  }
  // Multiplied by large primes and cut: spread out, and the same every time.
  db.exec(`
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${PAST_ORDERS * LINES_AN_ORDER - 1})
    INSERT INTO order_lines
    SELECT i / ${LINES_AN_ORDER}, 1 + (i * 7919 + i / 7 * 104729) % ${PRODUCTS}, 100 + (i * 31) % 4000 FROM n`)
  db.exec('COMMIT')
}
