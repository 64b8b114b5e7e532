// colly as its documentation has it polite: colly START FOLDER fast|polite
//
// What it knows of URLs is in memory: its storages for Redis and SQLite keep which were visited, not which are left,
// so a crawl that died is begun anew.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gocolly/colly/v2"
)

func main() {
	start, folder, pace := os.Args[1], os.Args[2], os.Args[3]
	file, err := os.Create(filepath.Join(folder, "pages.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	lines := json.NewEncoder(file)
	var writing sync.Mutex
	c := colly.NewCollector(colly.Async(true), colly.AllowedDomains("127.0.0.1"), colly.MaxDepth(0))
	c.IgnoreRobotsTxt = false
	rule := &colly.LimitRule{DomainGlob: "*", Parallelism: 1, Delay: time.Second}
	if pace == "fast" {
		rule = &colly.LimitRule{DomainGlob: "*", Parallelism: 8}
	}
	if err := c.Limit(rule); err != nil {
		log.Fatal(err)
	}
	c.OnError(func(r *colly.Response, err error) { fmt.Fprintln(os.Stderr, r.Request.URL, r.StatusCode, err) })
	c.OnHTML("a[href]", func(e *colly.HTMLElement) {
		link := e.Request.AbsoluteURL(e.Attr("href"))
		if err := e.Request.Visit(link); err != nil && err != colly.ErrMissingURL {
			if _, known := err.(*colly.AlreadyVisitedError); !known {
				fmt.Fprintln(os.Stderr, link, err)
			}
		}
	})
	c.OnScraped(func(r *colly.Response) {
		writing.Lock()
		defer writing.Unlock()
		if err := lines.Encode(map[string]string{"url": r.Request.URL.String()}); err != nil {
			log.Fatal(err)
		}
	})
	if err := c.Visit(start); err != nil {
		log.Fatal(err)
	}
	c.Wait()
}
