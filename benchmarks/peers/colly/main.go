// colly with goquery, as its documentation writes an asynchronous crawl: colly START RECORDS
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"
)

type record struct {
	URL         string   `json:"url"`
	Status      int      `json:"status"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	H1          []string `json:"h1"`
	Links       int      `json:"n_links"`
	Words       int      `json:"word_count"`
}

func main() {
	start, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	lines := json.NewEncoder(out)
	var writing sync.Mutex

	c := colly.NewCollector(colly.Async(true), colly.AllowedDomains(start.Hostname()), colly.MaxDepth(0))
	c.IgnoreRobotsTxt = true
	c.DisableCookies()
	c.MaxBodySize = 0
	// Go's own default keeps two idle connections a host: the rest of 64 would be opened for every request.
	c.WithTransport(&http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64,
		MaxIdleConns:        64,
		DisableCompression:  true,
	})
	if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: 64}); err != nil {
		log.Fatal(err)
	}
	// Spares colly a request, soon refused, for every link to a page already known.
	var seen sync.Map
	seen.Store(start.String(), true)

	c.OnHTML("html", func(e *colly.HTMLElement) {
		r := record{URL: e.Request.URL.String(), Status: e.Response.StatusCode, H1: []string{}}
		r.Title = e.DOM.Find("title").First().Text()
		r.Description, _ = e.DOM.Find("meta[name=description]").First().Attr("content")
		e.DOM.Find("h1").Each(func(_ int, s *goquery.Selection) { r.H1 = append(r.H1, strings.TrimSpace(s.Text())) })
		links := e.DOM.Find("a[href]")
		r.Links = links.Length()
		links.Each(func(_ int, s *goquery.Selection) {
			href, _ := s.Attr("href")
			link, _, _ := strings.Cut(e.Request.AbsoluteURL(href), "#")
			if link == "" {
				return
			}
			if _, known := seen.LoadOrStore(link, true); !known {
				_ = e.Request.Visit(link) // an error is a foreign host
			}
		})
		body := e.DOM.Find("body")
		body.Find("script, style").Remove()
		r.Words = len(strings.Fields(body.Text()))
		writing.Lock()
		defer writing.Unlock()
		if err := lines.Encode(r); err != nil {
			log.Fatal(err)
		}
	})
	if err := c.Visit(start.String()); err != nil {
		log.Fatal(err)
	}
	c.Wait()
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
