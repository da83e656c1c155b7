# lines 2644-2648: Groq > Prompt Caching > Global Caching Configuration > 1. Automatic for Most Providers
# These automatically use provider caching:
completion(model="gpt-4", messages=[...])           # ✅ Auto-cached
completion(model="azure/gpt-4", messages=[...])     # ✅ Auto-cached  
completion(model="deepseek/deepseek-chat", messages=[...])  # ✅ Auto-cached
completion(model="cohere/command-r-plus", messages=[...])   # ✅ Auto-cached
