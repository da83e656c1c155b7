# lines 2132-2145: Groq > Best Practices for Vision > 1. **Image Size Optimization**
def optimize_image_for_vision(image_path, max_size=(1024, 1024)):
    """Resize image for optimal vision processing"""
    from PIL import Image
    
    with Image.open(image_path) as img:
        img.thumbnail(max_size, Image.Resampling.LANCZOS)
        # Convert to RGB if needed
        if img.mode != 'RGB':
            img = img.convert('RGB')
        
        # Save optimized version
        optimized_path = f"optimized_{image_path}"
        img.save(optimized_path, "JPEG", quality=85)
        return optimized_path
