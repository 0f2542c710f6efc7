// SPDX-License-Identifier: BSD-3-Clause
// Basic use through ioredis: ioredis.js <port>
'use strict';

const assert = require('node:assert/strict');
const Redis = require('ioredis');

async function main() {
	// becomes ready by INFO's field `loading`
	const redis = new Redis({ port: Number(process.argv[2]), db: 2 });

	await redis.flushall();
	assert.equal(await redis.set('k', 'v', 'EX', 100), 'OK');
	assert.equal(await redis.get('k'), 'v');
	assert.equal(await redis.get('none'), null);
	assert.deepEqual(await redis.mget('k', 'none'), ['v', null]);
	assert.equal(await redis.incrby('n', 42), 42);
	await assert.rejects(redis.incr('k'), /ERR value is not an integer/);
	const bytes = Buffer.from([0, 255, 13, 10]);
	await redis.set('bytes', bytes);
	assert.deepEqual(await redis.getBuffer('bytes'), bytes);

	const replies = await redis.pipeline().set('a', 1).incr('a').incr('k')
		.get('a').exec();
	assert.deepEqual(replies[1], [null, 2]);
	assert.match(replies[2][0].message, /ERR value is not an integer/);
	assert.deepEqual(replies[3], [null, '2']);

	await redis.mset(Object.fromEntries(Array.from({ length: 100 },
		(_, i) => [`scan:${i}`, i])));
	const found = new Set();
	for await (const some of redis.scanStream({ match: 'scan:*' }))
		some.forEach((key) => found.add(key));
	assert.equal(found.size, 100);

	const monitor = await redis.monitor();
	const seen = new Promise((resolve) => {
		monitor.on('monitor', (time, args) => resolve(args));
	});
	await redis.set('seen', 'yes');
	assert.deepEqual((await seen).map(String), ['set', 'seen', 'yes']);
	monitor.disconnect();
	assert.match(await redis.info('keyspace'), /db2:keys=/);
	assert.equal(await redis.quit(), 'OK');
	console.log('ioredis: done');
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
