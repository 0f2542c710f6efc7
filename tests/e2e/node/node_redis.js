// SPDX-License-Identifier: BSD-3-Clause
// Basic use through node-redis: node_redis.js <port> <2|3>
'use strict';

const assert = require('node:assert/strict');
const { createClient, createClientPool } = require('redis');

const port = Number(process.argv[2]);
const RESP = Number(process.argv[3]);
const options = { RESP, socket: { host: '127.0.0.1', port } };

async function strings(client) {
	assert.equal(await client.ping(), 'PONG');
	assert.equal(await client.set('k', 'v'), 'OK');
	assert.equal(await client.get('k'), 'v');
	assert.equal(await client.get('none'), null);
	assert.equal(await client.set('k', 'w', { condition: 'NX' }), null);
	assert.equal(await client.set('k', 'ünï', {
		expiration: { type: 'EX', value: 100 } }), 'OK');
	assert.equal(await client.get('k'), 'ünï');
	const left = await client.ttl('k');
	assert.ok(left > 0 && left <= 100, `ttl ${left}`);
	assert.equal(await client.append('k', '!'), 6);
	assert.equal(await client.strLen('k'), 6);
	assert.equal(await client.getRange('k', 2, 2), 'n');
	assert.equal(await client.mSet({ a: '1', b: '2' }), 'OK');
	assert.deepEqual(await client.mGet(['a', 'x', 'b']), ['1', null, '2']);
	assert.equal(await client.incr('n'), 1);
	assert.equal(await client.incrBy('n', 41), 42);
	assert.equal(await client.decr('n'), 41);
	assert.equal(await client.incrByFloat('f', 0.5), '0.5');
	assert.equal(await client.getDel('a'), '1');
	assert.equal(await client.getEx('b', { type: 'PX', value: 5000 }), '2');
	await assert.rejects(client.incr('k'),
		/^(Simple)?Error: ERR value is not an integer or out of range$/);
	const bytes = Buffer.from([0, 255, 13, 10, 36]);
	await client.set('bytes', bytes);
	const { RESP_TYPES } = require('redis');
	const binary = client.withTypeMapping({
		[RESP_TYPES.BLOB_STRING]: Buffer });
	assert.deepEqual(await binary.get('bytes'), bytes);
}

async function keys(client) {
	assert.equal(await client.setBit('bits', 7, 1), 0);
	assert.equal(await client.bitCount('bits'), 1);
	assert.equal(await client.exists(['n', 'none']), 1);
	assert.equal(await client.type('n'), 'string');
	assert.equal(await client.rename('n', 'm'), 'OK');
	assert.equal(await client.del(['m', 'none']), 1);
	assert.equal(await client.copy('b', 'c'), 1);
	assert.equal(await client.persist('b'), 1);
	assert.equal(await client.pExpire('b', 100000), 1);
	await client.mSet(Array.from({ length: 200 }, (_, i) =>
		[`scan:${i}`, `${i}`]));
	const found = new Set();
	for await (const some of client.scanIterator({
		MATCH: 'scan:*', COUNT: 50 }))
		for (const key of some)
			found.add(key);
	assert.equal(found.size, 200);
}

async function pipelines(client) {
	// what is sent in one turn goes out as one pipeline
	const replies = await Promise.all(Array.from({ length: 1000 },
		(_, i) => client.incrBy('sum', i)));
	assert.equal(replies[999], 499500);
	const together = await client.multi().set('x', 1).incr('x').get('x')
		.execAsPipeline();
	assert.deepEqual(together.map(String), ['OK', '2', '2']);
	const pool = await createClientPool(options, {
		maximum: 4, cleanupDelay: 100 }).connect();
	await Promise.all(Array.from({ length: 100 }, (_, i) =>
		pool.set(`pool:${i}`, i.toString())));
	assert.equal(await pool.get('pool:99'), '99');
	pool.destroy();
}

async function administration(client) {
	assert.match(await client.info('server'), /^# Server\r\nredis_version:7/);
	const settings = await client.configGet('maxmem*');
	assert.equal(settings.maxmemory, '0');
	assert.equal(await client.configSet('slowlog-max-len', '100'), 'OK');
	const list = await client.clientList();
	assert.ok(list.some((c) => c.libName?.startsWith('node-redis')),
		JSON.stringify(list));
	assert.equal((await client.clientInfo()).resp, RESP);
	assert.ok(await client.clientId() > 0);
	assert.ok((await client.command()).length > 90);
	assert.ok((await client.time()) instanceof Date ||
		(await client.time()).length === 2);
	assert.ok(await client.dbSize() > 200);
	assert.ok(await client.memoryUsage('x') > 0);
	const hello = await client.hello(RESP);
	assert.equal(hello.proto, RESP);
}

async function main() {
	const client = createClient(options);
	client.on('error', (error) => { throw error; });
	await client.connect();
	await client.flushAll();
	for (const part of [strings, keys, pipelines, administration])
		await part(client);
	await client.close();
	console.log(`node-redis, RESP${RESP}: done`);
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
