// spider (Rust) by its own binding for Node: every page's URL and status, and links followed; it extracts nothing else.
// node spider.mjs START RECORDS
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
const { Website } = createRequire(process.env.NODE_PATH + "/")("@spider-rs/spider-rs");

const [start, records] = process.argv.slice(2);
const file = createWriteStream(records);
const website = new Website(start).withRespectRobotsTxt(false).withDelay(0).build();
await website.crawl((error, page) => {
  if (error) throw error;
  file.write(JSON.stringify({ url: page.url, status: page.statusCode }) + "\n");
});
file.end();
